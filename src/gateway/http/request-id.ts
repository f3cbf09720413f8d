import { randomUUID } from "node:crypto";
import { FieldHeaders } from "../../call/field-headers.ts";
import type { HttpHandler } from "../../wire/engine.ts";

const name = "x-request-id";

/** Short, and of characters that no log or shell stumbles over. */
const sane = /^[\w.:@=+/-]{1,128}$/;

/** Gives every request an id, its caller's own if that is sane: passed upstream, and told in the answer. */
export function withRequestId(inner: HttpHandler): HttpHandler {
  return async (request) => {
    const brought = request.header.get(name);
    const id = brought !== null && sane.test(brought) ? brought : randomUUID();
    request.header.set(name, id);
    const answer = await inner(request);
    answer.header ??= new FieldHeaders();
    answer.header.set(name, id);
    return answer;
  };
}
