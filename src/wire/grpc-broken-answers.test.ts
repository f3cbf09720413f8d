import { gzipSync } from "node:zlib";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { prefixed } from "../testing/attacker.ts";
import { Notes, textsOf } from "../testing/notes.ts";
import { engines } from "./engines.ts";
import { grpcTransport } from "./grpc.ts";
import { ownEngine } from "./own.ts";

const host = "127.0.0.1";
const note = prefixed(Buffer.from([0x0a, 1, 0x61])); // text: "a"
const garbage = prefixed(Buffer.from([0xff, 0xff]));

/** What a server sends after a head that is well, and whether it ends well or not at all. */
interface Broken {
  readonly body: Uint8Array;
  readonly header?: Readonly<Record<string, string>>;
  readonly trailer?: Readonly<Record<string, string>>;
  readonly isEndless?: boolean;
}

/** A server that answers every call in a broken way, and a client of it. */
async function openBroken(engine: (typeof engines)["own"], { body, header, trailer, isEndless = false }: Broken) {
  let open = 0;
  const listener = await ownEngine.listen({
    host,
    port: 0,
    handler: async ({ signal }) => {
      open++;
      const answer = async function* () {
        try {
          yield body;
          if (isEndless) await new Promise((resolve) => signal.addEventListener("abort", resolve));
        } finally {
          open--;
        }
      };
      const head = new Headers({ "content-type": "application/grpc+proto", ...header });
      return { status: 200, header: head, body: answer(), trailer: new Headers(trailer ?? { "grpc-status": "0" }) };
    },
  });
  const session = engine.connect(`${host}:${listener.port}`);
  return {
    notes: createClient(Notes, grpcTransport(session)),
    session,
    open: () => open,
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "answered",
    (reason) => Code[ConnectError.from(reason).code],
  );

const gzip = { "grpc-encoding": "gzip" };
const notGzip = prefixed(Buffer.from("no gzip at all"), { flags: 1 });
const broken: [what: string, broken: Broken, unary: string, stream: string][] = [
  ["a message that cannot be decoded", { body: garbage }, "Internal", "Internal"],
  ["gzip of such a message", { body: prefixed(gzipSync(garbage), { flags: 1 }), header: gzip }, "Internal", "Internal"],
  ["what does not decompress", { body: notGzip, header: gzip }, "InvalidArgument", "InvalidArgument"],
  ["a compressed message of no encoding", { body: notGzip }, "Internal", "Internal"],
  ["flags that nobody knows", { body: prefixed(Buffer.from([0]), { flags: 4 }) }, "Internal", "Internal"],
  [
    "a message that promises too much",
    { body: prefixed(Buffer.alloc(1), { length: 2 ** 31 }) },
    "ResourceExhausted",
    "ResourceExhausted",
  ],
  ["an encoding that nobody knows", { body: note, header: { "grpc-encoding": "zipper" } }, "Internal", "Internal"],
  ["no status", { body: note, trailer: { "x-a": "1" } }, "Internal", "Internal"],
  ["no message, and all is well", { body: Buffer.alloc(0) }, "Unimplemented", "answered"],
  ["two messages", { body: Buffer.concat([note, note]) }, "Unimplemented", "answered"],
  ["a message and an error", { body: note, trailer: { "grpc-status": "5" } }, "NotFound", "NotFound"],
];

describe.each(Object.entries(engines))(
  "an answer that is broken, to a client on %s",
  { timeout: 20_000 },
  (_, engine) => {
    test.each(broken)("%s", async (_, how, unary, stream) => {
      await using server = await openBroken(engine, how);
      expect(await codeOf(server.notes.one({}))).toBe(unary);
      expect(await codeOf(textsOf(server.notes.list({})))).toBe(stream);
    });

    test.each(broken.slice(0, 6))("%s, where the server goes on: the call is over on both sides", async (_, how) => {
      await using server = await openBroken(engine, { ...how, isEndless: true });
      expect(await codeOf(textsOf(server.notes.list({})))).not.toBe("answered");
      await expect.poll(() => server.open(), { timeout: 2_000 }).toBe(0);
    });
  },
);
