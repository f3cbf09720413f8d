import type { DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import { type CallOptions, Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus } from "../../gen/grpc/health/v1/health_pb.ts";
import type { MethodPolicySchema } from "../../gen/heddle/policy/v1/policy_pb.ts";
import { contract } from "../testing/contract.ts";
import { type Fleet, openFleet, routed } from "../testing/fake-fleet.ts";
import type { Explained } from "./client.ts";

type Do = (request: object, options?: CallOptions) => Promise<unknown> & Explained;
type Watch = (request: object, options?: CallOptions) => AsyncIterable<unknown> & Explained;
type Answer = (address: string) => object;

/** A service with a method Do that may be repeated and has this policy, and a stream Watch; all peers answer alike. */
async function openMade(
  policy: MessageInitShape<typeof MethodPolicySchema>,
  addresses: readonly string[],
  answer: Answer,
  watch: () => AsyncIterable<object> = async function* () {},
) {
  const service = contract([
    { name: "Do", idempotency: "idempotent", policy },
    { name: "Watch", stream: true },
  ]);
  const [doing, watching] = service.methods as readonly DescMethodUnary[];
  const peer = (address: string) =>
    routed((router) =>
      router
        .service(Health, { check: () => ({ status: HealthCheckResponse_ServingStatus.SERVING }) })
        .rpc(doing as DescMethodUnary, (() => answer(address)) as never)
        .rpc(watching as DescMethodUnary, watch as never),
    );
  const peers = Object.fromEntries(addresses.map((address) => [address, peer(address)]));
  const fleet = await openFleet(peers, { balance: "round-robin" });
  const client = fleet.mesh.client(service) as unknown as { do: Do; watch: Watch };
  return { ...fleet, ask: client.do, watch: client.watch };
}

const well = () => ({ text: "well" });
const hangs = () => new Promise<never>(() => {});
const fails = (code: Code) => () => Promise.reject(new ConnectError("no", code));
const ms = (count: number) => ({ nanos: count * 1_000_000 });
const settled = (call: Promise<unknown>) => call.catch(() => {});

/** What a call says of itself once it has ended, however long that takes. */
async function told({ clock }: Pick<Fleet, "clock">, call: Promise<unknown> & Explained): Promise<string> {
  let over = false;
  void settled(call).then(() => {
    over = true;
  });
  while (!over) await clock.advance(10);
  await clock.advance(0);
  return withoutTrace(String(call.explain()));
}

const withoutTrace = (text: string) => text.replace(/trace [0-9a-f]{32}/, "trace X");
const began = "  began 2026-01-01 00:00:00.000 UTC, trace X";

test("a call that was answered at once is told in a few lines", async () => {
  await using fleet = await openMade({}, ["a:1", "b:1"], well);
  const text = await told(fleet, fleet.ask({}));
  const [one, other] = [fleet.asked[0]?.address, fleet.asked[0]?.address === "a:1" ? "b:1" : "a:1"];
  expect(text.split("\n")).toEqual([
    "made.v1.MadeService/Do: answered after 0 ms (it had 5 s)",
    began,
    "",
    `       0 ms  attempt 1 goes to ${one}, for 5 s at most`,
    `               picked among 2, cost 30 ms; ${other} 30 ms`,
    "       0 ms  attempt 1: answered after 0 ms",
    "",
    "  time: 0 ms in the attempt",
  ]);
});

test("a repeat says why, what the budget said, and what the endpoint that failed would cost now", async () => {
  let asked = 0;
  await using fleet = await openMade({}, ["a:1", "b:1"], () => (asked++ === 0 ? fails(Code.Unavailable)() : well()));
  const text = await told(fleet, fleet.ask({}));
  expect(text).toContain("attempt 1: UNAVAILABLE after 0 ms: no");
  expect(text).toMatch(/another attempt in \d+ ms: the contract allows a repeat; the retry budget lets it/);
  expect(text).toMatch(/attempt 2, a repeat, goes to .*\n +picked among 2, cost \d+ ms; .:1 50\d\d ms/);
  expect(text).toMatch(/attempt 1 \|= +\| +0 ms .*UNAVAILABLE\n +attempt 2 \| +=\| +0 ms .*answered/);
  expect(text).toMatch(/time: 0 ms in attempts, .* waiting between them/);
});

test("of a hedge the winner answered, and the loser was given up", async () => {
  const hedge = { after: { case: "afterDelay", value: ms(50) } } as const;
  let asked = 0;
  await using fleet = await openMade({ hedge }, ["a:1", "b:1"], () => (asked++ === 0 ? hangs() : well()));
  const text = await told(fleet, fleet.ask({}));
  expect(text).toContain("50 ms  attempt 2, a hedge since no answer has come yet, goes to");
  expect(text).toContain("attempt 1: given up after 50 ms: the call needs it no longer");
  expect(text).toContain("attempt 2: answered after 0 ms");
  expect(text).toContain("time: 50 ms in attempts");
});

test("the attempt that opens a circuit says so, and later ones say whom they left alone", async () => {
  await using fleet = await openMade({ retry: { maxAttempts: 1 } }, ["a:1", "b:1"], (address) =>
    address === "a:1" ? fails(Code.Unavailable)() : well(),
  );
  const texts: string[] = [];
  for (let call = 0; call < 30; call++) {
    texts.push(await told(fleet, fleet.ask({})));
    await fleet.clock.advance(200);
  }
  const opening = texts.findIndex((text) =>
    text.includes("this opens the circuit of the endpoint: 5 failures in a row"),
  );
  expect(opening).toBeGreaterThan(0);
  expect(texts[opening + 1]).toContain("left alone: a:1, whose circuit is open (5 failures in a row)");
  expect(texts[opening + 1]).toContain("the only candidate");
  expect(texts.slice(opening).join()).toContain("its circuit is half-open: this attempt tries it");
});

test("where every circuit is open nothing is sent, and the error names them", async () => {
  await using fleet = await openMade({ retry: { maxAttempts: 1 } }, ["a:1"], fails(Code.Unavailable));
  for (let call = 0; call < 5; call++) await told(fleet, fleet.ask({}));
  const text = await told(fleet, fleet.ask({}));
  expect(text).toMatch(/^made.v1.MadeService\/Do: UNAVAILABLE after 0 ms \(it had 5 s\)\n {2}circuit open for .* a:1/);
  expect(text).toContain("no further attempt: every circuit is open");
  expect(text).toContain("time: 0 ms, and nothing was sent");
});

test("a fallback's answer is no error, and says why nobody could be asked", async () => {
  const fallback = { responseJson: '{"text": "from memory"}' };
  await using fleet = await openMade({ fallback, retry: { maxAttempts: 1 } }, ["a:1"], fails(Code.Unavailable));
  for (let call = 0; call < 5; call++) await told(fleet, fleet.ask({}));
  const text = await told(fleet, fleet.ask({}));
  expect(text).toMatch(/^made.v1.MadeService\/Do: answered by the fallback after 0 ms .*\n {2}circuit open for/);
});

test("a call that found no place says so, and one that waited says how long", async () => {
  const answers: (() => void)[] = [];
  const later = () => new Promise<object>((resolve) => answers.push(() => resolve(well())));
  await using fleet = await openMade({ concurrency: { maxInFlight: 1, maxQueued: 1 } }, ["a:1"], later);
  const [first, second, third] = [fleet.ask({}), fleet.ask({}), fleet.ask({})];
  expect(await told(fleet, third)).toMatch(
    /RESOURCE_EXHAUSTED after 0 ms .*\n {2}made.v1.MadeService has 1 calls under way/,
  );
  await fleet.clock.advance(30);
  answers.shift()?.();
  await first;
  await fleet.clock.advance(1);
  answers.shift()?.();
  expect(await told(fleet, second)).toMatch(/0 ms {2}waits for a place(.|\n)* has a place\n(.|\n)*waiting before it/);
});

test("a deadline that passes while a call waits is told with how long that was", async () => {
  const policy = { timeout: ms(100), concurrency: { maxInFlight: 1, maxQueued: 1 } };
  await using fleet = await openMade(policy, ["a:1"], hangs);
  const [first, second] = [fleet.ask({}), fleet.ask({})];
  void settled(second);
  await told(fleet, first);
  const text = await told(fleet, second);
  expect(text).toContain("DEADLINE_EXCEEDED after 100 ms (it had 100 ms)");
  expect(text).toContain("time: 100 ms, and nothing was sent");
});

test("a call can be asked before it has ended", async () => {
  await using fleet = await openMade({}, ["a:1"], hangs);
  const call = fleet.ask({});
  await fleet.clock.advance(40);
  expect(call.explain()).toMatchObject({ outcome: "under way", attempts: [{ outcome: "under way" }] });
  expect(String(call.explain())).toContain("under way for 40 ms (it had 5 s)");
  await told(fleet, call);
  expect(String(call.explain())).toContain("DEADLINE_EXCEEDED after 5 s (it had 5 s)");
});

test("a stream tells when its answer began, while it goes on and when it has broken off", async () => {
  const gate = Promise.withResolvers<void>();
  const watch = async function* () {
    yield {};
    await gate.promise;
    yield* [];
    throw new ConnectError("broke off", Code.Unavailable);
  };
  await using fleet = await openMade({}, ["a:1"], well, watch);
  const call = fleet.watch({});
  const messages = call[Symbol.asyncIterator]();
  await messages.next();
  await fleet.clock.advance(70);
  expect(String(call.explain())).toContain("a stream that goes on, for 70 ms so far");
  expect(String(call.explain())).toContain("0 ms  the answer begins");
  expect(call.explain()).toMatchObject({ outcome: "streaming", attempts: [{ outcome: "streaming" }] });
  gate.resolve();
  await settled(messages.next());
  expect(String(call.explain())).toContain("Watch: UNAVAILABLE after 70 ms\n  broke off");
});

test("for programs there are facts: stable names, spans in milliseconds, and when it began by the calendar", async () => {
  await using fleet = await openMade({}, ["a:1"], well);
  fleet.clock.jump(3_600_000);
  const call = fleet.ask({});
  await told(fleet, call);
  expect(JSON.parse(JSON.stringify(call.explain()))).toEqual({
    method: "made.v1.MadeService/Do",
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    startedAt: Date.UTC(2026, 0, 1, 1),
    outcome: "answered",
    allowedMs: 5_000,
    time: { totalMs: 0, beforeMs: 0, attemptsMs: 0, betweenMs: 0 },
    attempts: [
      {
        number: 1,
        kind: "first",
        name: "a:1",
        address: "a:1",
        startedMs: 0,
        endedMs: 0,
        timeoutMs: 5_000,
        outcome: "answered",
        among: 1,
        rule: "healthy",
        candidates: [{ address: "a:1", costMs: 30 }],
        leftOut: [],
      },
    ],
    decisions: [],
  });
});

test("among many endpoints only the cost of the one that was picked is told", async () => {
  const addresses = Array.from({ length: 20 }, (_, at) => `a:${at}`);
  await using fleet = await openMade({}, addresses, well);
  expect(await told(fleet, fleet.ask({}))).toContain("picked among 20, cost 30 ms\n");
});

test("an error's message is cut where it is very long", async () => {
  await using fleet = await openMade({}, ["a:1"], () =>
    Promise.reject(new ConnectError("x".repeat(5_000), Code.NotFound)),
  );
  const call = fleet.ask({});
  await told(fleet, call);
  expect(call.explain()?.error).toBe(`${"x".repeat(1_000)}…`);
});
