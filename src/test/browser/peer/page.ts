import { type Client, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { ErrorInfoSchema } from "../../../../gen/google/rpc/error_details_pb.ts";
import { EchoService } from "../../integration/peers/contract.ts";

/** What a browser can speak with us. */
export type Protocol = "connect" | "grpc-web";

/** What the page does for tests: each tells what it saw. */
export interface PeerPage {
  calls(protocol: Protocol): Promise<Record<string, unknown>>;
  bodies(): Promise<Record<string, unknown>>;
  /** Over what the browser fetched all that it did: "h2". */
  versions(): string[];
}

const { location } = globalThis as unknown as { readonly location: { readonly origin: string } };
const mebibyte = 1024 * 1024;

function clientOver(protocol: Protocol): Client<typeof EchoService> {
  const create = protocol === "connect" ? createConnectTransport : createGrpcWebTransport;
  return createClient(EchoService, create({ baseUrl: location.origin, useBinaryFormat: true }));
}

async function calls(protocol: Protocol): Promise<Record<string, unknown>> {
  const client = clientOver(protocol);
  return {
    metadata: await metadata(client),
    "1 MiB": await echoed(client),
    served: await served(client),
    ...(await failures(client)),
    ...(await ends(client)),
    "at once": await atOnce(client),
  };
}

async function metadata(client: Client<typeof EchoService>): Promise<string[]> {
  const seen: string[] = [];
  const note = (got: Headers) =>
    got.forEach((value, name) => {
      if (/^(head|tail)-/.test(name)) seen.push(`${name}=${value}`);
    });
  const headers = { plain: "one", "binary-bin": "AP+A" };
  await client.unary({ text: "hi" }, { headers, onHeader: note, onTrailer: note });
  return seen.sort();
}

async function echoed(client: Client<typeof EchoService>): Promise<boolean> {
  const data = new Uint8Array(mebibyte).map((_, i) => (i * 7) % 251);
  const answer = await client.unary({ data });
  return answer.data.length === data.length && answer.data.every((byte, i) => byte === data[i]);
}

async function served(client: Client<typeof EchoService>): Promise<string> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const { data } of client.serve({ text: "pieces", count: 64 })) parts.push(new Uint8Array(data));
  return hex(await new Blob(parts).arrayBuffer());
}

async function failures(client: Client<typeof EchoService>) {
  const told = (reason: unknown) => {
    const { code, rawMessage, metadata: said, ...error } = ConnectError.from(reason);
    const [info] = Object.assign(ConnectError.from(reason), error).findDetails(ErrorInfoSchema);
    return [code, rawMessage, info?.reason, said.get("why"), said.get("why-bin")];
  };
  let before = 0;
  const late = async () => {
    for await (const _ of client.serve({ text: "fail", count: 3 })) before++;
  };
  return {
    error: await client.unary({ text: "fail" }).then(() => "none", told),
    "late error": await late().then(() => "none", told),
    "messages before it": before,
  };
}

async function ends(client: Client<typeof EchoService>) {
  const codeOf = (reason: unknown) => ConnectError.from(reason).code;
  const stopped = async () => (await client.unary({ text: "stopped" })).count;
  const before = await stopped();
  const leave = new AbortController();
  const read = async () => {
    for await (const _ of client.serve({ text: "wait", count: 1 }, { signal: leave.signal })) leave.abort();
  };
  const gone = new AbortController();
  const waiting = client.unary({ text: "wait" }, { signal: gone.signal });
  const cancel = [read().then(() => 0, codeOf), waiting.then(() => 0, codeOf)];
  setTimeout(() => gone.abort(), 300);
  const seen = {
    deadline: await client.unary({ text: "wait" }, { timeoutMs: 300 }).then(() => 0, codeOf),
    cancel: await Promise.all(cancel),
  };
  for (let tries = 0; tries < 400 && (await stopped()) - before < 3; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return { ...seen, "told to stop": (await stopped()) - before };
}

async function atOnce(client: Client<typeof EchoService>): Promise<number> {
  const asked = Array.from({ length: 100 }, (_, count) => client.unary({ count, data: new Uint8Array(10_000) }));
  return (await Promise.all(asked)).filter(({ count }, i) => count === i).length;
}

async function bodies(): Promise<Record<string, unknown>> {
  const got = await (await fetch("/pieces", { method: "POST" })).arrayBuffer();
  const said = await fetch("/digest", { method: "POST", body: new Blob([got]) });
  return { got: await hex(got), sent: await said.text() };
}

function versions(): string[] {
  const seen = performance.getEntriesByType("resource") as unknown as { readonly nextHopProtocol: string }[];
  return [...new Set(seen.map(({ nextHopProtocol }) => nextHopProtocol))].filter((name) => name !== ""); // of aborted ones
}

async function hex(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

performance.setResourceTimingBufferSize(2_000);
Object.assign(globalThis, { peer: { calls, bodies, versions } satisfies PeerPage });
