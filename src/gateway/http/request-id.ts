import { randomUUID } from "node:crypto";
import { FieldHeaders, putField } from "../../call/field-headers.ts";
import type { HttpHandler } from "../../wire/engine.ts";

/** Names a request, in what is passed upstream and in its answer. */
export const requestIdHeader = "x-request-id";

/** Short, and of characters that no log or shell stumbles over. */
const sane = /^[\w.:@=+/-]{1,128}$/;

/** Gives every request an id, its caller's own if that is sane: passed upstream, and told in the answer. */
export function withRequestId(inner: HttpHandler): HttpHandler {
  return async (request) => {
    const id = requestIdOf(request.header.get(requestIdHeader) ?? undefined);
    putField(request.header, requestIdHeader, id);
    const answer = await inner(request);
    answer.header ??= new FieldHeaders();
    putField(answer.header, requestIdHeader, id);
    return answer;
  };
}

/** The id that a request brought, if it is sane, or a new one. */
export function requestIdOf(brought: string | undefined): string {
  return brought !== undefined && sane.test(brought) ? brought : randomUUID();
}
