import type { Store } from "../../store/orm.ts";
import { type CreateRequest, createOnce } from "../../store/request-ids.ts";
import { type User, userRequests } from "./user-entity.ts";
import { type NewUser, userRepository } from "./user-repository.ts";

/** Adds a user, or finds the one that the same request has added before. */
export function createUserOnce(
  store: Store,
  user: NewUser,
  once: CreateRequest & { readonly now: number },
): Promise<User> {
  return store.unit((em) =>
    createOnce(em, userRequests, once, {
      create: () => userRepository(em).add(user, once.now),
      keyOf: ({ id }) => String(id),
      find: (key) => userRepository(em).get(BigInt(key)),
    }),
  );
}

/** What a caller wants to be different of a user, and the version that it has seen; 0, whichever. */
export interface UserChange {
  readonly id: bigint;
  readonly version: number;
  readonly values: Partial<NewUser>;
}

/** Changes a user that still has the version its caller has seen; answers with it as it is then. */
export function changeUser(store: Store, { id, version, values }: UserChange, now: number): Promise<User> {
  return store.unit(async (em) => {
    const users = userRepository(em);
    const user = await users.getForChange(id, version);
    await users.change(user, values, now);
    return user;
  });
}
