import type { DescMethodUnary, DescService, MessageInitShape } from "@bufbuild/protobuf";
import { type CallOptions, Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import type { MethodPolicySchema } from "../../gen/heddle/policy/v1/policy_pb.ts";
import { runInCall } from "../call/context.ts";
import { errorReason } from "../call/errors.ts";
import { withFallback } from "../call/fallback.ts";
import { contract } from "../testing/contract.ts";
import { type Fleet, openFleet, type Peer, routed } from "../testing/fake-fleet.ts";
import type { Explained } from "./client.ts";

type Do = (request: object, options?: CallOptions) => Promise<{ text: string }> & Explained;

/** Peers of a service with one method, Do, that has this policy and answers as each address says. */
async function openMade(
  policy: MessageInitShape<typeof MethodPolicySchema>,
  answers: Readonly<Record<string, () => object>>,
  idempotency: "idempotent" | "unknown" = "idempotent",
) {
  const service = contract([{ name: "Do", policy, ...(idempotency === "idempotent" && { idempotency }) }]);
  const peers = Object.entries(answers).map(([address, answer]) => [address, serving(service, answer)] as const);
  const fleet = await openFleet(Object.fromEntries(peers));
  const client = fleet.mesh.client(service) as unknown as { do: Do };
  const serve = (answer: () => object) => serving(service, answer);
  return { ...fleet, serve, ask: client.do };
}

function serving(service: DescService, answer: () => object): Peer {
  return routed((router) => router.rpc(service.methods[0] as DescMethodUnary, answer as never));
}

const ms = (count: number) => ({ nanos: count * 1_000_000 });
const hedged = { hedge: { after: { case: "afterDelay", value: ms(50) } } } as const;
const well = () => ({ text: "well" });
const hangs = () => new Promise<never>(() => {});
const fails = (code: Code) => () => Promise.reject(new ConnectError("no", code));
const error = (call: Promise<unknown>) => call.then(() => expect.unreachable(), ConnectError.from);
const addresses = (fleet: Pick<Fleet, "asked">) => fleet.asked.map(({ address }) => address).sort();

test("a slow attempt is raced by one at another endpoint; whoever answers first is the answer", async () => {
  await using fleet = await openMade(hedged, { "a:1": hangs, "b:1": hangs });
  const call = fleet.ask({});
  await fleet.clock.advance(49);
  expect(fleet.asked).toHaveLength(1);
  const [first] = addresses(fleet);
  fleet.peers.set(first === "a:1" ? "b:1" : "a:1", fleet.serve(well));
  await fleet.clock.advance(1);
  expect(await call).toMatchObject({ text: "well" });
  expect(addresses(fleet)).toEqual(["a:1", "b:1"]);
  expect(String(call.explain())).toContain("attempt 2, a hedge");
});

test("nobody is raced where the attempt answers in time, or no other endpoint is left", async () => {
  await using quick = await openMade(hedged, { "a:1": well, "b:1": well });
  await quick.ask({});
  await quick.clock.advance(200);
  expect(quick.asked).toHaveLength(1);
  await using lone = await openMade(hedged, { "a:1": hangs });
  const call = error(lone.ask({}));
  await lone.clock.advance(5_000);
  expect(await call).toMatchObject({ code: Code.DeadlineExceeded });
  expect(lone.asked).toHaveLength(1);
});

test("where both fail the call fails once, and no more was sent than the contract allows", async () => {
  const policy = { ...hedged, retry: { maxAttempts: 2 } };
  await using fleet = await openMade(policy, { "a:1": hangs, "b:1": fails(Code.Unavailable), "c:1": hangs });
  const call = error(fleet.ask({}));
  await fleet.clock.advance(6_000);
  expect((await call).code).toBeOneOf([Code.Unavailable, Code.DeadlineExceeded]);
  expect(fleet.asked).toHaveLength(2);
  expect(fleet.clock.pending).toBeLessThanOrEqual(1); // the one of all deadlines
});

test("an answer that would be the same everywhere ends the race", async () => {
  await using fleet = await openMade(hedged, { "a:1": hangs, "b:1": hangs });
  const call = error(fleet.ask({}));
  await fleet.clock.advance(1);
  const [first] = addresses(fleet);
  fleet.peers.set(first === "a:1" ? "b:1" : "a:1", fleet.serve(fails(Code.NotFound)));
  await fleet.clock.advance(50);
  expect(await call).toMatchObject({ code: Code.NotFound });
});

test("of more calls than may be under way some wait in turn, and the rest fail at once", async () => {
  const answers: (() => void)[] = [];
  const later = () => new Promise<object>((resolve) => answers.push(() => resolve({ text: "well" })));
  await using fleet = await openMade({ concurrency: { maxInFlight: 2, maxQueued: 1 } }, { "a:1": later });
  const calls = [fleet.ask({}), fleet.ask({}), fleet.ask({})];
  const refused = await error(fleet.ask({}));
  expect(refused).toMatchObject({ code: Code.ResourceExhausted });
  expect(errorReason(refused)?.reason).toBe("BULKHEAD_FULL");
  await fleet.clock.advance(10);
  expect(fleet.asked).toHaveLength(2);
  answers.shift()?.();
  await fleet.clock.advance(10);
  expect(fleet.asked).toHaveLength(3);
  for (const answer of answers) answer();
  expect(await Promise.all(calls)).toHaveLength(3);
  expect(String(calls[2]?.explain())).toContain("waits for a place");
});

test("a call whose deadline passes while it waits for a place leaves the line, and the place to others", async () => {
  const policy = { timeout: ms(100), concurrency: { maxInFlight: 1, maxQueued: 1 } };
  await using fleet = await openMade(policy, { "a:1": hangs });
  const calls = [error(fleet.ask({})), error(fleet.ask({}))];
  await fleet.clock.advance(100);
  for (const call of calls) expect(await call).toMatchObject({ code: Code.DeadlineExceeded });
  expect(fleet.asked).toHaveLength(1);
  fleet.peers.set("a:1", fleet.serve(well));
  expect(await fleet.ask({})).toMatchObject({ text: "well" });
});

test("a call that has less time left than half of its kind take is refused before it is sent", async () => {
  await using fleet = await openMade({}, { "a:1": well });
  const slow = () => fleet.clock.sleep(80).then(well);
  fleet.peers.set("a:1", fleet.serve(slow));
  for (let call = 0; call < 20; call++) {
    const answer = fleet.ask({});
    await fleet.clock.advance(80);
    await answer;
  }
  fleet.asked.length = 0;
  const refused = await error(fleet.ask({}, { timeoutMs: 50 }));
  expect(refused).toMatchObject({ code: Code.DeadlineExceeded });
  expect(refused.rawMessage).toMatch(/Do has 50 ms left, and half of its calls take 8\d(\.\d)? ms or more/);
  expect(fleet.asked).toEqual([]);
});

test("below a call that is itself a repeat nothing is repeated, unless the contract lets it", async () => {
  const repeated = { traceparent: undefined, retryDepth: 1 };
  await using fleet = await openMade({}, { "a:1": fails(Code.Unavailable), "b:1": fails(Code.Unavailable) });
  expect(await error(runInCall(repeated, () => fleet.ask({})))).toMatchObject({ rawMessage: "no" });
  expect(fleet.asked).toHaveLength(1);
  expect(fleet.asked[0]?.header.get("heddle-retry-depth")).toBe("1");
  await using deeper = await openMade({ retry: { maxDepth: 2 } }, { "a:1": fails(Code.Unavailable) });
  const call = error(runInCall(repeated, () => deeper.ask({})));
  await deeper.clock.advance(200);
  await call;
  expect(deeper.asked.map(({ header }) => header.get("heddle-retry-depth"))).toEqual(["1", "2", "2"]);
});

test("when nobody can be asked the contract's fallback answers, and says so", async () => {
  const fallback = { responseJson: '{"text": "from memory"}' };
  await using fleet = await openMade({ fallback }, { "a:1": fails(Code.Unavailable) }, "unknown");
  for (let call = 0; call < 5; call++) expect(await error(fleet.ask({}))).toMatchObject({ rawMessage: "no" });
  let reason: string | null = null;
  const onHeader = (header: Headers) => {
    reason = header.get("heddle-fallback");
  };
  const call = fleet.ask({}, { onHeader });
  expect(await call).toMatchObject({ text: "from memory" });
  expect(reason).toBe("CIRCUIT_OPEN");
  expect(String(call.explain())).toContain("answered by the fallback");
  expect(fleet.asked).toHaveLength(5);
});

test("the caller's own fallback comes before the contract's, and may decline", async () => {
  await using fleet = await openMade({}, {});
  const values = withFallback(({ rawMessage }) => ({ text: rawMessage }) as never);
  const call = fleet.ask({}, { contextValues: values });
  await fleet.clock.advance(1_000);
  expect((await call).text).toContain("no endpoint of made.v1.MadeService");
  const declined = error(fleet.ask({}, { contextValues: withFallback(() => undefined) }));
  await fleet.clock.advance(1_000);
  expect(await declined).toMatchObject({ code: Code.Unavailable });
});

test("a call explains what happened: what was sent where, why again, and where its time went", async () => {
  await using fleet = await openMade({}, { "a:1": fails(Code.Unavailable), "b:1": fails(Code.Unavailable) });
  const call = fleet.ask({});
  for (const address of ["a:1", "b:1"]) {
    if (fleet.asked[0]?.address !== address) fleet.peers.set(address, fleet.serve(well));
  }
  await fleet.clock.advance(100);
  await call.catch(() => {});
  const explained = call.explain();
  expect(explained).toMatchObject({ method: "made.v1.MadeService/Do", outcome: "answered", allowedMs: 5_000 });
  expect(explained?.traceId).toMatch(/^[0-9a-f]{32}$/);
  const text = String(explained);
  expect(text).toContain("attempt 1: UNAVAILABLE after 0 ms: no");
  expect(text).toMatch(/another attempt in \d+ ms: the contract allows a repeat/);
  expect(text).toContain("attempt 2: answered");
  expect(JSON.parse(JSON.stringify(explained)).attempts).toHaveLength(2);
});

test("what a server is too busy for, and what failed behind it, opens no circuit", async () => {
  const never = { "grpc-retry-pushback-ms": "-1" };
  for (const answer of [
    fails(Code.ResourceExhausted),
    () => Promise.reject(new ConnectError("no", Code.Unavailable, never)),
  ]) {
    await using fleet = await openMade({}, { "a:1": answer });
    for (let call = 0; call < 20; call++) expect(await error(fleet.ask({}))).toMatchObject({ rawMessage: "no" });
    expect(fleet.asked).toHaveLength(20);
  }
});

test("a call that was repeated in vain asks whoever is told of it not to repeat it again", async () => {
  await using fleet = await openMade({}, { "a:1": fails(Code.Unavailable) });
  const call = error(fleet.ask({}));
  await fleet.clock.advance(1_000);
  expect((await call).metadata.get("grpc-retry-pushback-ms")).toBe("-1");
  fleet.peers.set("a:1", fleet.serve(fails(Code.NotFound)));
  expect((await error(fleet.ask({}))).metadata.get("grpc-retry-pushback-ms")).toBeNull();
});
