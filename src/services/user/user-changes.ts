import type { SqlEntityManager } from "@mikro-orm/sql";
import { UserDeletedSchema } from "../../../gen/shop/user/v1/events_pb.ts";
import { failedPrecondition } from "../../call/errors.ts";
import type { Publish } from "../../events/handler.ts";
import type { User } from "./user-entity.ts";
import { userOrderRepository } from "./user-order-repository.ts";
import { domain, type NewUser, userRepository } from "./user-repository.ts";

/** What a caller wants to be different of a user, and the version that it has seen; 0, whichever. */
export interface UserChange {
  readonly id: bigint;
  readonly version: number;
  readonly values: Partial<NewUser>;
}

/** Changes a user that still has the version its caller has seen; answers with it as it is then. */
export async function changeUser(
  em: SqlEntityManager,
  { id, version, values }: UserChange,
  now: number,
): Promise<User> {
  const users = userRepository(em);
  const user = await users.getForChange(id, version);
  await users.change(user, values, now);
  return user;
}

/** Whom to delete. */
export interface UserDeletion {
  readonly id: bigint;
  /** The version that its caller has seen; 0, whichever. */
  readonly version: number;
  /** Whether pending orders are no obstacle. */
  readonly force: boolean;
}

/**
 * Deletes a user and says so to others, both or neither; FAILED_PRECONDITION while orders are known to be pending, unless
 * forced. An order of which nothing is known here yet is no obstacle: if it is pending when the order service hears of this, it is
 * cancelled there; one that is written at that very moment may outlive its user.
 */
export async function deleteUser(
  em: SqlEntityManager,
  { id, version, force }: UserDeletion,
  publish: Publish,
): Promise<void> {
  const users = userRepository(em);
  await users.getForChange(id, version);
  const pending = force ? 0 : await userOrderRepository(em).countPending(id);
  if (pending > 0) throw hasOpenOrders(id, pending);
  await users.remove(id);
  await publish(em, UserDeletedSchema, { id });
}

function hasOpenOrders(id: bigint, pending: number) {
  const message = `user ${id} has pending orders (${pending}): wait for them, cancel them, or set \`force\` to have them cancelled`;
  const metadata = { user: String(id), pending: String(pending) };
  return failedPrecondition(message, { reason: "USER_HAS_OPEN_ORDERS", domain, metadata });
}
