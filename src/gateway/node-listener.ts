import type { IncomingMessage, ServerResponse } from "node:http";
import type { Transcoder } from "../rest/transcoder.ts";
import { nothingHere } from "../server/answers.ts";
import { http1Request, sendHttp1 } from "../wire/http1-handler.ts";

/**
 * Answers a request of `node:http`: an IncomingMessage, by a ServerResponse. Neither is named here, so that whoever uses
 * the package needs no types of Node's; as a method, it may be given one that names them.
 */
export type NodeListener = { listener(request: object, response: object): void }["listener"];

/**
 * A transcoder as `http.createServer` takes it. What no REST route has goes to `otherwise`, a Connect router's
 * `connectNodeAdapter` for one, with the request untouched; without it, the answer is 404.
 */
export function nodeListener(rest: Transcoder, otherwise?: NodeListener): NodeListener {
  return (request, response) =>
    void answer(rest, { request: request as IncomingMessage, response: response as ServerResponse, otherwise });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly otherwise: NodeListener | undefined;
}

async function answer(rest: Transcoder, { request, response, otherwise }: Exchange): Promise<void> {
  response.on("error", () => {}); // the peer left; the request's signal has told the transcoder
  try {
    const scheme = "encrypted" in request.socket ? "https" : "http";
    const asked = http1Request(scheme, request, response);
    if ("refusal" in asked) return await sendHttp1(asked.refusal, response);
    const answered = await rest(asked);
    if (answered === undefined && otherwise !== undefined) return otherwise(request, response);
    await sendHttp1(answered ?? nothingHere(asked), response);
  } catch {
    response.destroy(); // the body broke off after the head was sent: whoever reads has to see it
  }
}
