import { LockMode, UniqueConstraintViolationException } from "@mikro-orm/core";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { alreadyExists, conflict, notFound } from "../../call/errors.ts";
import { changedAt } from "../../store/changed-at.ts";
import type { Page } from "../../store/page-token.ts";
import { User } from "./user-entity.ts";
import { readUser, type UserRow } from "./user-rows.ts";

/** Who says what goes wrong here. */
export const domain = "shop.user.v1";

/** What is known of a user before there is one. */
export interface NewUser {
  readonly name: string;
  readonly email: string;
}

/** Users, as one unit of work sees them. What is missing, taken or stale is an error by the time a method returns. */
export function userRepository(em: SqlEntityManager) {
  return {
    /** The user, or NOT_FOUND. */
    async get(id: bigint): Promise<UserRow> {
      return (await readUser(em, id)) ?? missing(id);
    },

    /** The user, kept from others until the unit ends: NOT_FOUND, or ABORTED unless at `version` (0: at any). */
    async getForChange(id: bigint, version: number): Promise<User> {
      const user = (await em.findOne(User, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })) ?? missing(id);
      if (version === 0 || version === user.version) return user;
      throw conflict("user", id, { expected: version, actual: user.version }, domain);
    },

    /** One row more than the page holds, oldest first: of everyone, or of who has the email, whatever its case. */
    list({ limit, after }: Page, email = ""): Promise<User[]> {
      const further = after === undefined ? {} : { id: { $gt: BigInt(after) } };
      const where = email === "" ? further : { ...further, emailKey: emailKey(email) };
      return em.find(User, where, { orderBy: { id: "asc" }, limit: limit + 1 });
    },

    /** A new user, or ALREADY_EXISTS. */
    async add(user: NewUser, now: number): Promise<User> {
      const at = new Date(now);
      const added = em.create(User, { ...user, emailKey: emailKey(user.email), createdAt: at, updatedAt: at });
      await write(em, user.email);
      return added;
    },

    /** Changes what differs, or ALREADY_EXISTS. A change that changes nothing leaves version and time as they are. */
    async change(user: User, values: Partial<NewUser>, now: number): Promise<void> {
      const { name = user.name, email = user.email } = values;
      if (name === user.name && email === user.email) return;
      em.assign(user, { name, email, emailKey: emailKey(email), updatedAt: changedAt(user, now) });
      await write(em, email);
    },

    /** Removes the user, or NOT_FOUND. */
    async remove(id: bigint): Promise<void> {
      if ((await em.nativeDelete(User, { id })) === 0) missing(id);
    },
  };
}

function emailKey(email: string): string {
  return email.toLowerCase();
}

/** The email is the one thing of a user that may be had only once. */
async function write(em: SqlEntityManager, email: string): Promise<void> {
  try {
    await em.flush();
  } catch (reason) {
    throw reason instanceof UniqueConstraintViolationException ? alreadyExists("user", "email", email, domain) : reason;
  }
}

function missing(id: bigint): never {
  throw notFound("user", id, domain);
}
