import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";

/** What a REST request is made of, beside method and path. */
export interface RestCall {
  /** Text and bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly header?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** An answer with its body read to the end. */
export interface RestAnswer {
  readonly status: number;
  readonly header: Headers;
  readonly text: string;
  /** The body as JSON; `undefined` when it is empty or is none. */
  readonly json: unknown;
}

/** A request as a server hands it to a transcoder; nothing travels. A body that is not text has a JSON Content-Type. */
export function restRequest(
  method: string,
  url: string,
  { body, header, signal }: RestCall = {},
): UniversalServerRequest {
  const headers = new Headers(header);
  if (body !== undefined && typeof body !== "string" && !headers.has("content-type")) {
    headers.set("content-type", "application/json");
  }
  return {
    httpVersion: "2.0",
    method,
    url: `http://localhost${url}`,
    header: headers,
    body: chunks(body),
    signal: signal ?? new AbortController().signal,
  };
}

/** Reads an answer to its end. */
export async function readAnswer({
  status,
  header = new Headers(),
  body,
}: UniversalServerResponse): Promise<RestAnswer> {
  const parts: Uint8Array[] = [];
  if (body !== undefined) for await (const part of body) parts.push(part);
  const text = Buffer.concat(parts).toString();
  return { status, header, text, json: parsed(text) };
}

async function* chunks(body: unknown): AsyncGenerator<Uint8Array> {
  if (body === undefined) return;
  const bytes = body instanceof Uint8Array ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const half = bytes.length >> 1; // two chunks, so that nobody relies on getting one
  yield bytes.subarray(0, half);
  yield bytes.subarray(half);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
