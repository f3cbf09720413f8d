import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { nothingHere } from "../../../server/answers.ts";
import type { HttpHandler } from "../../../wire/engine.ts";
import { digest, many, piece } from "./pieces.ts";

const text = new TextEncoder();

/** Answers plain HTTP: `/digest` tells what was sent, `/pieces` sends 64 MiB, `/back` sends back what it is sent. */
export const bodies: HttpHandler = async (request) => {
  const { url, body } = request;
  switch (new URL(url).pathname) {
    case "/digest":
      return answer(one(await digestOfBody(body)));
    case "/pieces":
      return answer(all());
    case "/back":
      return answer(body as AsyncIterable<Uint8Array>);
    default:
      return nothingHere(request);
  }
};

/** 64 MiB, a piece at a time. */
export async function* all(): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < many; i++) yield piece(i);
}

/** "67108864 …": how long a body is, and its digest. */
export async function digestOfBody(body: UniversalServerRequest["body"]): Promise<string> {
  const sum = digest();
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    sum.add(chunk);
    bytes += chunk.length;
  }
  return `${bytes} ${sum.hex()}`;
}

const answer = (body: AsyncIterable<Uint8Array>) => ({
  status: 200,
  header: new Headers({ "content-type": "application/octet-stream" }),
  body,
});

async function* one(said: string): AsyncGenerator<Uint8Array> {
  yield text.encode(said);
}
