/** The client that Connect's conformance suite tries: makes the calls that messages on stdin describe, and tells stdout. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { frames, writeFrame } from "./frames.ts";
import {
  type ClientCompatRequest,
  ClientCompatRequestSchema,
  type ClientCompatResponse,
  ClientCompatResponseSchema,
} from "./gen/connectrpc/conformance/v1/client_compat_pb.ts";
import { invoke } from "./invoke.ts";
import { Sessions, transportFor } from "./transport.ts";

/** Calls under way at once: enough to share connections, few enough for those that are timed. */
const maxCalls = 8;

async function answer(request: ClientCompatRequest, sessions: Sessions): Promise<ClientCompatResponse> {
  const { testName } = request;
  try {
    const value = await invoke(request, transportFor(request, sessions.to(request)));
    return create(ClientCompatResponseSchema, { testName, result: { case: "response", value } });
  } catch (reason) {
    const value = { message: String(reason) };
    return create(ClientCompatResponseSchema, { testName, result: { case: "error", value } });
  }
}

await using sessions = new Sessions();
const calls = new Set<Promise<void>>();
for await (const frame of frames(process.stdin)) {
  while (calls.size >= maxCalls) await Promise.race(calls);
  const request = fromBinary(ClientCompatRequestSchema, frame);
  const call: Promise<void> = answer(request, sessions).then((response) => {
    writeFrame(process.stdout, toBinary(ClientCompatResponseSchema, response));
    calls.delete(call);
  });
  calls.add(call);
}
await Promise.all(calls);
