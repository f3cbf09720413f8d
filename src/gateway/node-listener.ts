import type { IncomingMessage, ServerResponse } from "node:http";
import type { Transcoder } from "../rest/transcoder.ts";
import { nothingHere } from "../server/answers.ts";
import { http1Request, sendHttp1 } from "../wire/http1-handler.ts";

/** Answers a request of `node:http`. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A transcoder as `http.createServer` takes it. What no REST route has goes to `otherwise`, a Connect router's
 * `connectNodeAdapter` for one, with the request untouched; without it, the answer is 404.
 */
export function nodeListener(rest: Transcoder, otherwise?: NodeListener): NodeListener {
  return (request, response) => void answer(rest, { request, response, otherwise });
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
