import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { prefixed } from "../testing/attacker.ts";
import { openVictim, withstands } from "../testing/victim.ts";
import { grpcTransport } from "./grpc.ts";
import { ownEngine } from "./own.ts";

interface Answer {
  readonly head?: Record<string, string | number>;
  readonly body?: Uint8Array | string;
  readonly trailers?: Record<string, string>;
  /** Ends by a reset instead, with this code. */
  readonly reset?: number;
}

/** What a client of ours makes of an answer. */
async function met({ head = {}, body, trailers, reset }: Answer) {
  const peer = createServer();
  peer.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {}); // a client that has seen enough resets it
    stream.respond({ ":status": 200, "content-type": "application/grpc", ...head }, { waitForTrailers: true });
    stream.on("wantTrailers", () => (trailers ? stream.sendTrailers(trailers) : stream.close(reset)));
    stream.end(body);
  });
  await new Promise<void>((resolve) => peer.listen(0, "127.0.0.1", resolve));
  await using victim = await openVictim();
  await using session = ownEngine.connect(`127.0.0.1:${(peer.address() as AddressInfo).port}`);
  try {
    const { getUser } = createClient(UserService, grpcTransport(session));
    return await withstands(victim, async () => {
      const error = await getUser({ id: 1n }, { timeoutMs: 10_000 }).catch(ConnectError.from);
      return error instanceof ConnectError ? { code: error.code, message: error.rawMessage } : "an answer";
    });
  } finally {
    peer.close();
  }
}

const ok = { "grpc-status": "0" };
const message = prefixed(Buffer.from([10, 2, 8, 7])); // user { id: 7 }

test("an answer as it should be is one", async () => {
  expect(await met({ body: message, trailers: ok })).toBe("an answer");
});

test.each<[string, Answer, Code[]]>([
  ["no grpc-status", { body: message, trailers: { other: "1" } }, [Code.Internal, Code.Unknown]],
  ["no trailers", { body: message }, [Code.Internal, Code.Unknown]],
  ["a grpc-status that is none", { body: message, trailers: { "grpc-status": "fine" } }, [Code.Internal, Code.Unknown]],
  ["a grpc-status nobody knows", { trailers: { "grpc-status": "4711" } }, [Code.Internal, Code.Unknown]],
  ["HTML", { head: { "content-type": "text/html" }, body: "<html>hello</html>" }, [Code.Unknown, Code.Internal]],
  [
    "HTML and 404",
    { head: { ":status": 404, "content-type": "text/html" }, body: "<html>no</html>" },
    [Code.Unimplemented],
  ],
  [
    "HTML and 503",
    { head: { ":status": 503, "content-type": "text/html" }, body: "<html>no</html>" },
    [Code.Unavailable],
  ],
  ["no message", { trailers: ok }, [Code.Unimplemented, Code.Internal]],
  ["two messages", { body: Buffer.concat([message, message]), trailers: ok }, [Code.Unimplemented, Code.Internal]],
  [
    "half a prefix",
    { body: message.subarray(0, 3), trailers: ok },
    [Code.InvalidArgument, Code.Internal, Code.DataLoss],
  ],
  [
    "half a message",
    { body: message.subarray(0, 7), trailers: ok },
    [Code.InvalidArgument, Code.Internal, Code.DataLoss],
  ],
  [
    "a message larger than all",
    { body: prefixed(message, { length: 2 ** 32 - 1 }), trailers: ok },
    [Code.ResourceExhausted],
  ],
  [
    "a message that cannot be read",
    { body: prefixed(Buffer.from([0xff, 0xff])), trailers: ok },
    [Code.Internal, Code.InvalidArgument],
  ],
  [
    "a bad base64 in its details",
    { trailers: { "grpc-status": "5", "grpc-message": "gone", "grpc-status-details-bin": "!!!!" } },
    [Code.NotFound, Code.Internal, Code.DataLoss],
  ],
  [
    "a grpc-message that does not decode",
    { trailers: { "grpc-status": "5", "grpc-message": "%E0%ZZ" } },
    [Code.NotFound, Code.Internal, Code.Unknown],
  ],
  [
    "a compression nobody asked for",
    { head: { "grpc-encoding": "zipper" }, body: message, trailers: ok },
    [Code.Internal],
  ],
  ["RST_STREAM CANCEL", { body: message, reset: 8 }, [Code.Canceled]],
  ["RST_STREAM ENHANCE_YOUR_CALM", { body: message, reset: 11 }, [Code.ResourceExhausted]],
])("an answer with %s is an error, in time", async (_name, answer, codes) => {
  const error = await met(answer);
  expect(codes).toContain((error as { readonly code: Code }).code);
});

test("a compressed bomb in an answer is RESOURCE_EXHAUSTED, and not inflated", async () => {
  const body = prefixed(gzipSync(Buffer.alloc(100 * 1024 * 1024)), { flags: 1 });
  expect(await met({ head: { "grpc-encoding": "gzip" }, body, trailers: ok })).toMatchObject({
    code: Code.ResourceExhausted,
  });
});
