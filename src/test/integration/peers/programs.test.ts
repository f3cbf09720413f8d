import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failureText } from "./contract.ts";
import { digestOf, many, mebibyte } from "./pieces.ts";
import { openOurs, places } from "./places.ts";
import { programs, run } from "./run.ts";

const whole = digestOf(many);
const metadata = ["head", "tail"].flatMap((where) => [
  `${where}-binary-bin=00ff80`,
  `${where}-binary-bin=07`,
  expect.stringMatching(`^${where}-plain=one`), // ours answers with "one, two", others with both
]);
const failure = ["NotFound", failureText, "THING_NOT_FOUND", "peers.v1", "7", "gone", "00ff80"];

/** What every program has to have seen. */
const seen = {
  "unary metadata": metadata,
  "stream metadata": metadata,
  echoed: true,
  "waits for the server": true,
  collected: `${many} ${whole}`,
  "the server waits": true,
  served: `${many} ${whole}`,
  talked: `${many} ${whole}`,
  "after the client ended": 4,
  "before the client ended, Talk": 1,
  "before the client ended, Collect": 1,
  error: failure,
  "error after": 3,
  "late error": failure,
  unknown: "Unimplemented",
  "too large": "ResourceExhausted",
  left: true,
  deadline: "DeadlineExceeded",
  cancel: expect.stringMatching(/^Cancell?ed$/),
  "told to stop": 2,
  "at once": 100,
};

/** And what one of them has: Go's own HTTP/2, and the C core with compression both ways. */
const goSees = {
  "HTTP sent": `HTTP/2.0 ${many * mebibyte} ${whole}`,
  "HTTP /pieces": `HTTP/2.0 ${many * mebibyte} ${whole}`,
  "HTTP /back": `HTTP/2.0 ${many * mebibyte} ${whole}`,
};
const coreSees = { compressed: true };

describe.for(places)("our server (%s)", ([, place]) => {
  let server: Awaited<ReturnType<typeof openOurs>>;
  beforeAll(async () => {
    server = await openOurs(place);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test.for(Object.entries(programs))("is understood by %s in all it does", async ([name, program]) => {
    const env = { ...(place.tls && { PEERS_CA: place.tls.cert }) };
    const { stdout, stderr } = await run([...program(), "call", server.address], { env });
    expect(JSON.parse(stdout || JSON.stringify(stderr))).toEqual({
      ...seen,
      ...(name === "grpc-go" ? goSees : coreSees),
    });
  });
});
