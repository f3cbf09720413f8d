import type { DescService } from "@bufbuild/protobuf";
import { unavailable } from "../../call/errors.ts";
import { headers } from "../../call/headers.ts";
import { methodName } from "../../call/method.ts";
import { isClosed } from "../../security/access.ts";
import type { Step } from "../../server/steps/step.ts";

/** What whoever runs such a gateway has to do, for errors and pages. */
export const noKeysProblem =
  "the contract asks for access, and this gateway has no keys to prove callers by: set AUTH_JWKS (and AUTH_ISSUER, AUTH_AUDIENCE)";

/**
 * The step of a gateway that cannot prove callers: it passes no call on to a method that asks for access. To leave that
 * to the service would be enough only as long as every service does it. To ask again is of no use.
 */
export function keepClosed(): Step {
  return ({ method }) => {
    if (!isClosed(method)) return;
    const info = { reason: "ACCESS_NOT_CONFIGURED", domain: "heddle", metadata: { method: methodName(method) } };
    const error = unavailable(`${methodName(method)} is closed: ${noKeysProblem}`, info);
    error.metadata.set(headers.retryPushback, "-1");
    throw error;
  };
}

/** The names of the service's methods that ask for access. */
export function closedMethods(service: DescService): readonly string[] {
  return service.methods.filter(isClosed).map(({ name }) => name);
}
