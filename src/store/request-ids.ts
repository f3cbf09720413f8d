import { createHash } from "node:crypto";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { defineEntity, p } from "@mikro-orm/core";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { invalidArgument } from "../call/errors.ts";

/** The table of one service that says which request created which resource. */
export function requestIds(service: string) {
  return defineEntity({
    name: `${service}RequestId`,
    tableName: `${service}_request_ids`,
    properties: {
      requestId: p.string().length(100).primary(),
      contentHash: p.string().length(64),
      /** The key of the resource created; empty only inside the transaction that creates it. */
      resource: p.string().length(100),
      createdAt: p.datetime(3),
    },
  });
}

/** A table made by `requestIds`. */
export type RequestIds = ReturnType<typeof requestIds>;

/** A request that creates, told from every other by its id and its content. */
export interface CreateRequest {
  /** If empty, the request is always new. */
  readonly requestId: string;
  readonly contentHash: string;
}

/** The id of a request message and the hash of all its other fields. */
export function createRequest<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc> & { readonly requestId: string },
): CreateRequest {
  const content = toBinary(schema, { ...message, requestId: "" });
  return { requestId: message.requestId, contentHash: createHash("sha256").update(content).digest("hex") };
}

/** How to create a resource, and how to find one that an earlier request has created. */
export interface Creation<T> {
  create(): Promise<T>;
  keyOf(created: T): string;
  find(key: string): Promise<T>;
}

/**
 * Creates once per request id, in the transaction of `em`: the same request again finds what the first one made.
 *
 * The id is claimed before anything is created. On PostgreSQL a second claim waits for the first one's transaction;
 * on SQLite transactions that write stand in line anyhow. A creation that fails takes its claim back with it.
 */
export async function createOnce<T>(
  em: SqlEntityManager,
  ids: RequestIds,
  request: CreateRequest & { readonly now: number },
  { create, keyOf, find }: Creation<T>,
): Promise<T> {
  const { requestId } = request;
  if (requestId === "") return create();
  if (!(await claim(em, ids, request))) return find((await createdBefore(em, ids, request)) ?? "");
  const created = await create();
  await em.nativeUpdate(ids, { requestId }, { resource: keyOf(created) });
  return created;
}

/** The key of the resource that this request has created before, if it has. Other content is refused. */
export async function createdBefore(
  em: SqlEntityManager,
  ids: RequestIds,
  { requestId, contentHash }: CreateRequest,
): Promise<string | undefined> {
  if (requestId === "") return undefined;
  const seen = await em.findOne(ids, { requestId });
  if (seen && seen.contentHash !== contentHash) throw reused(requestId);
  return seen?.resource;
}

async function claim(
  em: SqlEntityManager,
  ids: RequestIds,
  { requestId, contentHash, now }: CreateRequest & { readonly now: number },
): Promise<boolean> {
  const row = { requestId, contentHash, resource: "", createdAt: new Date(now) };
  const { affectedRows } = await em
    .createQueryBuilder(ids)
    .insert(row)
    .onConflict(["requestId"])
    .ignore()
    .execute("run");
  return affectedRows === 1;
}

function reused(requestId: string): ConnectError {
  const description = `${requestId} has been used with other content; a new request needs a new id`;
  const error = invalidArgument([{ field: "request_id", description }]);
  const value = { reason: "REQUEST_ID_REUSED", domain: "heddle", metadata: { request_id: requestId } };
  error.details.push({ desc: ErrorInfoSchema, value });
  return error;
}
