import type { SqlEntityManager } from "@mikro-orm/sql";
import { query, wallOf } from "../../store/query.ts";
import type { User } from "./user-entity.ts";

/** A user as everybody reads it: the values of its row. */
export type UserRow = Readonly<Pick<User, "id" | "name" | "email" | "createdAt" | "updatedAt" | "version">>;

/** A user, or nothing, by one statement whose text is always the same: each order that is placed asks for one. */
export async function readUser(em: SqlEntityManager, id: bigint): Promise<UserRow | undefined> {
  const sql = "select id, name, email, created_at, updated_at, version from users where id = ?";
  const [raw] = (await query<RawUser>(em, sql, [id])).rows;
  if (raw === undefined) return undefined;
  const { name, email, version } = raw;
  const times = { createdAt: new Date(wallOf(raw.created_at)), updatedAt: new Date(wallOf(raw.updated_at)) };
  return { id: BigInt(raw.id), name, email, version, ...times };
}

/** As the databases answer: integers of 64 bits and dates are text from one and numbers from the other. */
interface RawUser extends Pick<User, "name" | "email" | "version"> {
  readonly id: number | bigint | string;
  readonly created_at: number | string | Date;
  readonly updated_at: number | string | Date;
}
