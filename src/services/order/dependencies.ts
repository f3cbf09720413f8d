import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { CatalogService, Product } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import type { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { errorReason, errorWithInfo, invalidArgument, unavailable } from "../../call/errors.ts";
import { headers } from "../../call/headers.ts";
import { domain } from "./order-repository.ts";

/** The services that an order is made with. */
export interface Dependencies {
  readonly users: Client<typeof UserService>;
  readonly catalog: Client<typeof CatalogService>;
}

/** Codes that say "not now" rather than "no". */
const away: ReadonlySet<Code> = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.ResourceExhausted]);

/** Codes that speak of the caller, whose token goes on to the other service: it is theirs to mend. */
const notAllowed: ReadonlySet<Code> = new Set([Code.Unauthenticated, Code.PermissionDenied]);

/** Resolves when the user exists; NOT_FOUND when not, UNAVAILABLE when the user service is away. */
export async function checkUser(users: Dependencies["users"], id: bigint): Promise<void> {
  try {
    await users.getUser({ id });
  } catch (reason) {
    throw translate(reason, {
      service: "user",
      field: "user_id",
      notFound: { reason: "USER_NOT_FOUND", message: `user ${id} does not exist` },
    });
  }
}

/** The products, in the order asked for; NOT_FOUND with the first that is missing, UNAVAILABLE when the catalog is away. */
export async function findProducts(catalog: Dependencies["catalog"], skus: string[]): Promise<readonly Product[]> {
  try {
    return (await catalog.batchGetProducts({ skus })).products;
  } catch (reason) {
    throw translate(reason, { service: "catalog", field: "items.sku", notFound: { reason: "PRODUCT_NOT_FOUND" } });
  }
}

interface Translation {
  readonly service: "user" | "catalog";
  /** Whose value of our caller's request we have asked it for. */
  readonly field: string;
  /** What to say for NOT_FOUND; without a message, what the other service said. */
  readonly notFound: { readonly reason: string; readonly message?: string };
}

/**
 * What our caller sees of a call that we made for it: the other service's error under our name. Its details stay
 * behind, as they speak of a request that our caller never sent.
 */
function translate(reason: unknown, { service, field, notFound }: Translation): ConnectError {
  const error = ConnectError.from(reason);
  const metadata = errorReason(error)?.metadata ?? {};
  if (error.code === Code.NotFound) {
    const { message = error.rawMessage } = notFound;
    return errorWithInfo(Code.NotFound, message, { reason: notFound.reason, domain, metadata });
  }
  if (away.has(error.code)) {
    const away = `${service.toUpperCase()}_SERVICE_UNAVAILABLE`;
    return unavailable(`the ${service} service is away: ${error.rawMessage}`, { reason: away, domain, metadata });
  }
  if (error.code === Code.Canceled) return error;
  if (error.code === Code.InvalidArgument) {
    return invalidArgument([{ field, description: `the ${service} service refuses it: ${error.rawMessage}` }]);
  }
  if (notAllowed.has(error.code)) return refusedThere(error, service);
  return new ConnectError(
    `the ${service} service failed: ${error.rawMessage}`,
    Code.Internal,
    undefined,
    undefined,
    error,
  );
}

function refusedThere(error: ConnectError, service: string): ConnectError {
  const { reason = "CALLER_REFUSED", ...info } = errorReason(error) ?? {};
  const message = `the ${service} service refuses the caller: ${error.rawMessage}`;
  const made = errorWithInfo(error.code, message, { domain, ...info, reason });
  const challenge = error.metadata.get(headers.challenge);
  if (challenge !== null) made.metadata.set(headers.challenge, challenge);
  return made;
}
