import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { Refusal } from "../refusal.ts";
import { once } from "../response/answer.ts";
import type { RawBody } from "./http-body.ts";
import { byteRange, rangeApplies } from "./range.ts";

const anyBytes = "application/octet-stream";

/** An answer of bytes as they are, with the Content-Type they came with; to GET, of the part that Range asks for. */
export function rawAnswer(
  { contentType, data }: RawBody,
  header: Headers,
  { status, request }: { readonly status: number; readonly request: UniversalServerRequest },
): UniversalServerResponse {
  setContentType(header, contentType);
  const ranged = status === 200 && request.method === "GET";
  if (ranged || request.method === "HEAD") header.set("accept-ranges", "bytes");
  const asked = ranged ? request.header.get("range") : null;
  const range =
    asked !== null && rangeApplies(request.header.get("if-range"), header) ? byteRange(asked, data.length) : undefined;
  if (range === "unsatisfiable") throw unsatisfiable(data.length);
  if (range === undefined) return bytesAnswer(status, data, { header, request });
  header.set("content-range", `bytes ${range.first}-${range.last}/${data.length}`);
  return bytesAnswer(206, data.subarray(range.first, range.last + 1), { header, request });
}

/** Sets the Content-Type; one that no header can hold, and an empty one, say nothing of the bytes. */
export function setContentType(header: Headers, contentType: string): void {
  try {
    header.set("content-type", contentType.trim() === "" ? anyBytes : contentType);
  } catch {
    header.set("content-type", anyBytes); // a line break in it would begin another header
  }
}

function bytesAnswer(
  status: number,
  bytes: Uint8Array,
  { header, request }: { readonly header: Headers; readonly request: UniversalServerRequest },
): UniversalServerResponse {
  header.set("content-length", String(bytes.length));
  return request.method === "HEAD" || bytes.length === 0 ? { status, header } : { status, header, body: once(bytes) };
}

/** 416: there is no such part. `Content-Range` says how long the whole is. */
function unsatisfiable(length: number): Refusal {
  const error = new ConnectError(`Range: the body has ${length} bytes, none of them is asked for`, Code.OutOfRange);
  return new Refusal(416, error, { "content-range": `bytes */${length}`, "accept-ranges": "bytes" });
}
