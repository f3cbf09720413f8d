import type { JsonValue } from "@bufbuild/protobuf";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { gather, isByteStream } from "../../call/whole-body.ts";
import { isTree } from "../fields.ts";
import { checkJsonText } from "../json/check.ts";
import type { RawBody } from "../raw/http-body.ts";
import { bodyTooLarge, notJson, unknownEncoding, unreadable } from "../refusal.ts";
import { once } from "../response/answer.ts";
import { decoded } from "./decoding.ts";

const jsonType = /^application\/(?:[\w.!#$&^+-]+\+)?json$/;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The pieces of a request's body, as they come. */
export function rawChunks({ header, body }: UniversalServerRequest): AsyncIterable<Uint8Array> {
  refuseEncoding(header);
  return isByteStream(body) ? body : once(Buffer.from(JSON.stringify(body ?? "")));
}

/** The bytes of a request's body, and what they are said to be. */
export async function readRawBody(request: UniversalServerRequest, maxBodyBytes: number): Promise<RawBody> {
  const contentType = request.header.get("content-type") ?? "";
  if (!isByteStream(request.body)) return { contentType, data: Buffer.from(JSON.stringify(request.body ?? "")) };
  const sent = await readBytes(request, request.body, maxBodyBytes);
  return { contentType, data: await decoded(sent, request.header.get("content-encoding"), maxBodyBytes) };
}

function refuseEncoding(header: Headers): void {
  const encoding = header.get("content-encoding") ?? "identity";
  if (encoding !== "identity") throw unknownEncoding(encoding, "identity"); // it is passed on piece by piece
}

/**
 * Refuses a body that the method would not read: what is said in it would be lost without a word. One that says nothing,
 * `{}`, passes, for many clients send it with every request.
 */
export async function refuseBody(request: UniversalServerRequest, maxBodyBytes: number): Promise<undefined> {
  const body = await readJsonBody(request, maxBodyBytes);
  if (body === undefined || body === null || (isTree(body) && Object.keys(body).length === 0)) return undefined;
  throw unreadable("unexpected body: this method reads its path and its query parameters alone");
}

/** The JSON of a request's body; `undefined` for an empty one. A body without Content-Type counts as JSON. */
export async function readJsonBody(
  request: UniversalServerRequest,
  maxBodyBytes: number,
): Promise<JsonValue | undefined> {
  if (!isByteStream(request.body)) return request.body ?? undefined;
  const sent = await readBytes(request, request.body, maxBodyBytes);
  if (sent.length === 0) return undefined;
  checkContentType(request.header);
  const text = decode(await decoded(sent, request.header.get("content-encoding"), maxBodyBytes));
  return text.trim() === "" ? undefined : parseJson(text);
}

async function readBytes(
  { header }: UniversalServerRequest,
  body: AsyncIterable<Uint8Array>,
  maxBodyBytes: number,
): Promise<Uint8Array> {
  if (Number(header.get("content-length") ?? 0) > maxBodyBytes) throw bodyTooLarge(maxBodyBytes);
  const bytes = await gather(body, maxBodyBytes);
  if (bytes === undefined) throw bodyTooLarge(maxBodyBytes);
  return bytes;
}

function checkContentType(header: Headers): void {
  const [type = "", ...parameters] = (header.get("content-type") ?? "application/json").toLowerCase().split(";");
  if (type.trim() === "application/x-www-form-urlencoded") {
    throw notJson("the body has to be application/json, not a form (curl: add -H 'Content-Type: application/json')");
  }
  if (!jsonType.test(type.trim())) throw notJson(`the body has to be application/json, not ${type.trim()}`);
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith("charset="));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) throw notJson(`JSON is UTF-8, not ${charset}`);
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw unreadable("the body is not valid UTF-8"); // the decoder says no more than that
  }
}

/** JSON text as a message is read from it; throws what the caller may be told where it is none. */
export function parseJson(text: string): JsonValue {
  checkJsonText(text);
  try {
    return longDigits.test(text) ? parseExactly(text) : (JSON.parse(text) as JsonValue);
  } catch (reason) {
    const why = reason instanceof SyntaxError ? reason.message : "it cannot be parsed";
    throw unreadable(`the body is not valid JSON: ${why}`);
  }
}

const longDigits = /[0-9]{16}/;

/** Integers that a JavaScript number would round stay text, which protojson takes for any number. */
function parseExactly(text: string): JsonValue {
  const keepExact = (_key: string, value: unknown, { source = "" }: { source?: string } = {}) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?[0-9]+$/.test(source) ? source : value;
  return JSON.parse(text, keepExact) as JsonValue;
}
