import { randomUUID } from "node:crypto";
import { Code } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";

const codes: Readonly<Record<number, Code>> = {
  405: Code.Unimplemented,
  408: Code.DeadlineExceeded,
  413: Code.ResourceExhausted,
  431: Code.ResourceExhausted,
  501: Code.Unimplemented,
};

/** What answers a request that no handler is shown: its text, and the headers that go with it, by which people find it again. */
export interface BadRequest {
  readonly text: string;
  readonly header: readonly (readonly [name: string, value: string])[];
}

/** A refusal, in the words of google.rpc.Status, under an id of its own. */
export function refusalOf(status: number, message: string): BadRequest {
  const text = JSON.stringify({ code: codes[status] ?? Code.InvalidArgument, message, details: [] });
  const header = [
    ["content-type", "application/json"],
    ["content-length", String(Buffer.byteLength(text))],
    ["x-content-type-options", "nosniff"],
    ["cache-control", "no-store"],
    ["x-request-id", randomUUID()],
  ] as const;
  return { text, header };
}

/** The same as an answer. */
export function badRequest(status: number, message: string): UniversalServerResponse {
  const { text, header } = refusalOf(status, message);
  return {
    status,
    header: new Headers(header.map(([name, value]): [string, string] => [name, value])),
    body: once(text),
  };
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}
