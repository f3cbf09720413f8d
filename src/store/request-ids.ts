import { createHash } from "node:crypto";
import { type DescMethodUnary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { defineEntity, p } from "@mikro-orm/core";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { invalidArgument } from "../call/errors.ts";
import { methodName } from "../call/method.ts";
import { type RequestIdField, requestIdField, requestIdIn, withoutRequestId } from "../call/request-id.ts";
import { type Parameter, query, queryLater, storable } from "./query.ts";

/** The table of one service that says which requests it has answered, and what. */
export function requestIds(service: string) {
  return defineEntity({
    name: `${service}RequestId`,
    tableName: `${service}_request_ids`,
    properties: {
      requestId: p.string().length(100).primary(),
      /** The method, as gRPC paths write it; null in rows of versions that kept no answers. */
      method: p.string().length(200).nullable(),
      contentHash: p.string().length(64),
      /** The key of the resource created, for replicas of versions that look for that; empty where none was. */
      resource: p.string().length(100),
      /** The response message as bytes; null in rows of versions that kept none. */
      answer: p.blob().nullable(),
      createdAt: p.datetime(3),
    },
    indexes: [{ properties: ["createdAt"] }],
  });
}

/** A table made by `requestIds`. */
export type RequestIds = ReturnType<typeof requestIds>;

/** A row of it. */
export type AnsweredRow = Pick<InstanceType<RequestIds["class"]>, "resource" | "answer">;

/** A request that names itself, told from every other by its id, its method and its content. */
export interface NamedRequest {
  readonly requestId: string;
  readonly method: string;
  readonly field: string;
  readonly contentHash: string;
}

/**
 * What names a request: the value of the field that its contract marks as `request_id`, and a hash of all others.
 * `undefined` where it is empty: then the request is always new. Throws where the contract marks no field.
 */
export function namedRequest<M extends DescMethodUnary>(
  method: M,
  message: MessageShape<M["input"]>,
): NamedRequest | undefined {
  const field = requestIdField(method);
  if (field === undefined) throw new TypeError(`${methodName(method)} has no field that is marked as request_id`);
  const requestId = requestIdIn(message, field);
  if (requestId === "") return undefined;
  return { requestId, method: methodName(method), field: field.name, contentHash: hashOf(method, message, field) };
}

function hashOf({ input }: DescMethodUnary, message: MessageShape<DescMethodUnary["input"]>, field: RequestIdField) {
  const content = toBinary(input, withoutRequestId(message, field));
  return createHash("sha256").update(content).digest("hex");
}

/** What this request was answered, if it was. The same id with other content, or for another method, is refused. */
export async function answeredBefore(
  em: SqlEntityManager,
  ids: RequestIds,
  request: NamedRequest,
): Promise<AnsweredRow | undefined> {
  const sql = `select method, content_hash, resource, answer from "${ids.tableName}" where request_id = ?`;
  const [row] = (await query<RawRequest>(em, sql, [storable(request.requestId)])).rows;
  if (row === undefined) return undefined;
  if ((row.method ?? request.method) !== request.method) throw reused(request, `for ${row.method}`);
  if (row.content_hash !== request.contentHash) throw reused(request, "with other content");
  return row;
}

/** What is kept of a request that has been answered. */
export interface Kept extends AnsweredRow {
  readonly request: NamedRequest;
  readonly now: number;
}

/**
 * Keeps an answer in the transaction of `em`, which fails where the id has been used: now, or when it commits. On PostgreSQL it
 * waits for another transaction that is about to keep the same id; on SQLite transactions that write stand in line anyhow.
 */
export async function keepAnswer(em: SqlEntityManager, ids: RequestIds, kept: Kept): Promise<void> {
  const { request, now, answer, resource } = kept;
  const { requestId, method, contentHash } = request;
  const row = { requestId, method, contentHash, resource, answer, createdAt: new Date(now) };
  await queryLater(em, insertSql(ids), valuesOf(row));
}

/** Whether this is the first time that `id` is claimed, in the transaction of `em`: for what is done once and for all. */
export async function firstTime(em: SqlEntityManager, ids: RequestIds, id: string, now: number): Promise<boolean> {
  const row = { requestId: id, method: null, contentHash: "", resource: "", answer: null, createdAt: new Date(now) };
  const { affected } = await query(em, `${insertSql(ids)} on conflict (request_id) do nothing`, valuesOf(row));
  return affected === 1;
}

/** Up to `limit` ids whose answers were given before `time`, the oldest first. What was claimed once and for all is none. */
export async function oldRequestIds(
  em: SqlEntityManager,
  ids: RequestIds,
  time: Date,
  limit: number,
): Promise<string[]> {
  const where = { createdAt: { $lt: time }, answer: { $ne: null } };
  const old = await em.find(ids, where, { fields: ["requestId"], orderBy: { createdAt: "asc" }, limit });
  return old.map(({ requestId }) => requestId);
}

/** Forgets that these requests were answered. */
export async function forgetRequestIds(em: SqlEntityManager, ids: RequestIds, old: readonly string[]): Promise<void> {
  await em.nativeDelete(ids, { requestId: { $in: [...old] } });
}

/** A row as the databases answer. */
interface RawRequest extends AnsweredRow {
  readonly method: string | null;
  readonly content_hash: string;
}

interface NewRow extends AnsweredRow {
  readonly requestId: string;
  readonly method: string | null;
  readonly contentHash: string;
  readonly createdAt: Date;
}

/** Its text is always the same, as each call that changes something comes by here. */
function insertSql({ tableName }: RequestIds): string {
  const columns = "request_id, method, content_hash, resource, answer, created_at";
  return `insert into "${tableName}" (${columns}) values (?, ?, ?, ?, ?, ?)`;
}

function valuesOf({ requestId, method, contentHash, resource, answer, createdAt }: NewRow): readonly Parameter[] {
  return [storable(requestId), method, contentHash, storable(resource), answer ?? null, createdAt];
}

function reused({ requestId, field }: NamedRequest, how: string): ConnectError {
  const description = `${requestId} has been used ${how}; a new request needs a new id`;
  const error = invalidArgument([{ field, description }]);
  const value = { reason: "REQUEST_ID_REUSED", domain: "heddle", metadata: { [field]: requestId } };
  error.details.push({ desc: ErrorInfoSchema, value });
  return error;
}
