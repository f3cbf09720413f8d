import { create, type DescMessage, type DescMethodUnary, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Transport, type UnaryResponse } from "@connectrpc/connect";
import { expect, test } from "vitest";
import type { MethodPolicySchema } from "../../../gen/heddle/policy/v1/policy_pb.ts";
import { type CurrentCall, currentCall, runInCall } from "../../call/context.ts";
import { ServedCall } from "../../call/served-call.ts";
import { principalKey } from "../../security/principal.ts";
import { contract } from "../../testing/contract.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { cachedUpstream } from "./cached-upstream.ts";

const maxAge = durationFromMs(2_000);

type Policy = MessageInitShape<typeof MethodPolicySchema>;

/** What upstream was asked, and how to answer it. */
interface Call {
  readonly header: Headers;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  /** On whose behalf it was made. */
  readonly parent: CurrentCall | undefined;
  answer(text: string, header?: Record<string, string>): void;
  fail(code: Code): void;
}

/** A cache before an upstream whose calls a test answers one by one. */
function rig(policy: Policy = { cache: { maxAge } }, maxBytes = 1_000_000) {
  const clock = fakeClock();
  const service = contract([{ name: "Get", idempotency: "read-only", policy }]);
  const method = service.methods[0] as DescMethodUnary;
  const calls: Call[] = [];
  const upstream = {
    unary: (_: unknown, signal: AbortSignal | undefined, timeoutMs: number | undefined, header: HeadersInit) =>
      new Promise<UnaryResponse>((resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
        calls.push({
          header: new Headers(header),
          signal,
          timeoutMs,
          parent: currentCall(),
          answer(text, told = {}) {
            const message = create(method.output as DescMessage, { text } as never);
            const head = { header: new Headers({ "x-from": "upstream", ...told }), trailer: new Headers() };
            resolve({ stream: false, service, method, message, ...head } as UnaryResponse);
          },
          fail: (code) => reject(new ConnectError("failed", code)),
        });
      }),
  } as unknown as Transport;
  const transport = cachedUpstream({ upstream, timeoutOf: () => 1_000, maxBytes, clock });
  const ask = (text: string, header: Record<string, string> = {}, { timeoutMs = 1_000, signal }: Leaving = {}) =>
    transport.unary(method, signal, timeoutMs, header, create(method.input, { text } as never)).then(textOf);
  return { clock, calls, ask, method };
}

interface Leaving {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const textOf = ({ message, header }: UnaryResponse) => ({
  text: (message as unknown as { text: string }).text,
  header: Object.fromEntries(header),
});

/** Lets what is ready run. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Asks, and answers what reaches upstream by it. */
async function answered({ ask, calls }: ReturnType<typeof rig>, header = {}, text = "answer") {
  const before = calls.length;
  const asked = ask("a", header);
  await settled();
  const isAsked = calls.length > before;
  calls[before]?.answer(text);
  return { ...(await asked), isAsked };
}

test("an answer is given again until it is as old as the contract allows, and says how old it is", async () => {
  const shop = rig();
  const first = await answered(shop, {}, "one");
  expect(first.header).toEqual({ "cache-control": "max-age=2, public", age: "0", "x-from": "upstream" });
  await shop.clock.advance(1_999);
  expect(await answered(shop, {}, "two")).toMatchObject({ text: "one", isAsked: false, header: { age: "1" } });
  await shop.clock.advance(1);
  expect(await answered(shop, {}, "two")).toMatchObject({ text: "two", isAsked: true, header: { age: "0" } });
  expect(shop.clock.pending).toBe(0);
});

test("another request has another answer", async () => {
  const { ask, calls } = rig();
  const both = Promise.all([ask("a"), ask("b")]);
  await settled();
  expect(calls).toHaveLength(2);
  calls[0]?.answer("of a");
  calls[1]?.answer("of b");
  expect((await both).map(({ text }) => text)).toEqual(["of a", "of b"]);
});

test("a method without the policy is asked each time", async () => {
  const shop = rig({});
  for (const text of ["one", "two"]) {
    expect(await answered(shop, {}, text)).toMatchObject({ text, isAsked: true, header: { "x-from": "upstream" } });
  }
});

test("errors are not kept, and are everybody's who waits", async () => {
  const shop = rig();
  const [one, two] = [shop.ask("a"), shop.ask("a")];
  await settled();
  shop.calls[0]?.fail(Code.NotFound);
  const errors = await Promise.all([one, two].map((asked) => asked.catch((reason) => reason)));
  expect(errors).toMatchObject([{ code: Code.NotFound }, { code: Code.NotFound }]);
  errors[0].metadata.set("x-limit", "one's own");
  expect(errors[1].metadata.has("x-limit")).toBe(false);
  expect(shop.calls).toHaveLength(1);
  expect(await answered(shop)).toMatchObject({ isAsked: true });
});

test("a hundred who ask for the same at once make one call", async () => {
  const { ask, calls } = rig();
  const all = Promise.all(Array.from({ length: 100 }, () => ask("a")));
  await settled();
  expect(calls).toHaveLength(1);
  calls[0]?.answer("one");
  expect(new Set((await all).map(({ text }) => text))).toEqual(new Set(["one"]));
});

test("one who leaves leaves alone; when all have left, the call is canceled", async () => {
  const { ask, calls } = rig();
  const leaving = [new AbortController(), new AbortController()];
  const asked = leaving.map(({ signal }) => ask("a", {}, { signal }));
  const ended = Promise.allSettled(asked);
  await settled();
  leaving[0]?.abort(new ConnectError("left", Code.Canceled));
  await settled();
  expect(calls[0]?.signal?.aborted).toBe(false);
  leaving[1]?.abort(new ConnectError("left", Code.Canceled));
  void ask("a"); // in the same turn: nobody joins what is canceled
  expect(await ended).toMatchObject([{ reason: { code: Code.Canceled } }, { reason: { code: Code.Canceled } }]);
  expect(calls[0]?.signal?.aborted).toBe(true);
  expect(calls).toHaveLength(2);
});

test("the first one may leave, and the others have their answer", async () => {
  const { ask, calls } = rig();
  const leaving = new AbortController();
  const first = ask("a", {}, { signal: leaving.signal });
  const second = ask("a");
  await settled();
  leaving.abort(new ConnectError("left", Code.Canceled));
  await expect(first).rejects.toMatchObject({ code: Code.Canceled });
  calls[0]?.answer("one");
  expect((await second).text).toBe("one");
});

test("each caller's deadline is its own, and the call has the time that the contract gives it", async () => {
  const { ask, calls, clock } = rig();
  const hurried = ask("a", {}, { timeoutMs: 50 });
  const patient = ask("a", {}, { timeoutMs: 900 });
  const late = expect(hurried).rejects.toMatchObject({
    code: Code.DeadlineExceeded,
    rawMessage: "made.v1.MadeService/Get had 50 ms and needed more",
  });
  await clock.advance(50);
  await late;
  expect(calls[0]).toMatchObject({ timeoutMs: 1_000, signal: { aborted: false } });
  calls[0]?.answer("one");
  expect((await patient).text).toBe("one");
});

test("one who came late and has time left asks once more, together with the others, when the first call has run out of it", async () => {
  const { ask, calls, clock } = rig();
  const first = expect(ask("a")).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  await clock.advance(900);
  const rest = Promise.all([ask("a"), ask("a")]);
  await settled();
  calls[0]?.fail(Code.DeadlineExceeded);
  await first;
  await settled();
  expect(calls).toHaveLength(2);
  calls[1]?.answer("two");
  expect((await rest).map(({ text }) => text)).toEqual(["two", "two"]);
});

test("what upstream has against one caller is not held against the others", async () => {
  const { ask, calls } = rig();
  const refused = expect(ask("a", { authorization: "expired" })).rejects.toMatchObject({ code: Code.Unauthenticated });
  const other = ask("a", { authorization: "good" });
  await settled();
  calls[0]?.fail(Code.Unauthenticated);
  await refused;
  await settled();
  expect(calls[1]?.header.get("authorization")).toBe("good");
  calls[1]?.answer("one");
  expect((await other).text).toBe("one");
});

test.each([["no-cache"], ["max-age=0"], ["NO-CACHE, x"]])(
  "%s asks upstream, and refreshes what is kept",
  async (wish) => {
    const shop = rig();
    await answered(shop, {}, "one");
    expect(await answered(shop, { "cache-control": wish }, "two")).toMatchObject({ text: "two", isAsked: true });
    expect(await answered(shop, {}, "three")).toMatchObject({ text: "two", isAsked: false });
  },
);

test("no-store asks upstream and leaves what is kept as it is", async () => {
  const shop = rig();
  await answered(shop, {}, "one");
  expect(await answered(shop, { "cache-control": "no-store" }, "two")).toMatchObject({ text: "two" });
  expect(await answered(shop, {}, "three")).toMatchObject({ text: "one" });
});

test("a caller may want an answer that is younger than the contract does", async () => {
  const shop = rig();
  await answered(shop, {}, "one");
  await shop.clock.advance(1_500);
  expect(await answered(shop, { "cache-control": "max-age=2" }, "two")).toMatchObject({ text: "one" });
  expect(await answered(shop, { "cache-control": "max-age=1" }, "two")).toMatchObject({ text: "two", isAsked: true });
});

test("an older answer that arrives late does not replace a younger one", async () => {
  const shop = rig();
  const slow = shop.ask("a");
  await shop.clock.advance(10);
  await answeredAt(shop, 1, { "cache-control": "no-cache" }, "younger");
  shop.calls[0]?.answer("older");
  await slow;
  expect(await answered(shop)).toMatchObject({ text: "younger", isAsked: false });
});

async function answeredAt(
  { ask, calls }: ReturnType<typeof rig>,
  at: number,
  header: Record<string, string>,
  text: string,
) {
  const asked = ask("a", header);
  await settled();
  calls[at]?.answer(text);
  return asked;
}

test.each([
  ["cache-control", "no-store"],
  ["vary", "accept-language"],
  ["set-cookie", "a=b"],
  ["heddle-fallback", "NO_ENDPOINT"],
])("an answer with %s: %s is passed on as it is, and only to the one who asked", async (name, value) => {
  const { ask, calls } = rig();
  const [first, second] = [ask("a"), ask("a")];
  await settled();
  calls[0]?.answer("one", { [name]: value });
  expect((await first).header).toEqual({ "x-from": "upstream", [name]: value });
  await settled();
  calls[1]?.answer("two", { [name]: value });
  expect((await second).text).toBe("two");
  void ask("a");
  await settled();
  expect(calls).toHaveLength(3);
});

test("private answers are shared by equal credentials alone, and by nobody without any", async () => {
  const shop = rig({ cache: { maxAge, private: true } });
  const ada = { authorization: "Bearer ada" };
  expect((await answered(shop, ada, "Ada's")).header["cache-control"]).toBe("max-age=2, private");
  expect(await answered(shop, ada)).toMatchObject({ text: "Ada's", isAsked: false });
  expect(await answered(shop, { authorization: "Bearer eve" }, "Eve's")).toMatchObject({
    text: "Eve's",
    isAsked: true,
  });
  for (const text of ["1", "2"]) expect(await answered(shop, {}, text)).toMatchObject({ text, isAsked: true });
});

test("answers that only some may see are not given to callers whom nobody has proven", async () => {
  const shop = rig({ cache: { maxAge }, access: { scopes: ["users:read"] } });
  const ada = { authorization: "Bearer ada" };
  expect((await answered(shop, ada, "one")).header["cache-control"]).toBe("max-age=2, private");
  expect(await answered(shop, {}, "two")).toMatchObject({ text: "two", isAsked: true });
  expect(await answered(shop, { authorization: "Bearer eve" }, "three")).toMatchObject({ isAsked: true });
});

test("callers whom the gateway has let in share answers that only some may see", async () => {
  const shop = rig({ cache: { maxAge }, access: { scopes: ["users:read"] } });
  const as = (subject: string, text: string) => {
    const { method, clock } = shop;
    const facts = { protocolName: "rest", requestMethod: "GET", header: new Headers(), deadlineAt: undefined };
    const call = new ServedCall({ ...facts, method, arrivedAt: clock.now(), now: clock.now });
    call.values.set(principalKey, { subject, scopes: new Set(["users:read"]) });
    return runInCall(call, () => answered(shop, { authorization: `Bearer ${subject}` }, text));
  };
  await as("ada", "one");
  expect(await as("eve", "two")).toMatchObject({ text: "one", isAsked: false });
  expect(await answered(shop, { authorization: "Bearer mallory" }, "three")).toMatchObject({ isAsked: true });
});

test("the call is in the trace of the first one, and does not end with it", async () => {
  const { ask, calls } = rig();
  const leader = new AbortController();
  const call = { traceparent: "00-a-b-01", signal: leader.signal, deadlineAt: 1 };
  const first = runInCall(call, () => ask("a"));
  leader.abort();
  await settled();
  expect(calls[0]).toMatchObject({ parent: { traceparent: "00-a-b-01" }, signal: { aborted: false } });
  expect([calls[0]?.parent?.signal, calls[0]?.parent?.deadlineAt]).toEqual([undefined, undefined]);
  calls[0]?.answer("one");
  expect((await first).text).toBe("one");
});

test("memory for answers is bounded: those that nobody has asked for the longest go first", async () => {
  const { ask, calls } = rig({ cache: { maxAge } }, 20_000);
  const get = async (text: string) => {
    const before = calls.length;
    const asked = ask(text);
    await settled();
    calls[before]?.answer("x".repeat(1_000));
    await asked;
    return calls.length > before;
  };
  for (const text of ["a", "b", "c", "a", "d", "e", "f"]) await get(text);
  expect([await get("a"), await get("f"), await get("b")]).toEqual([false, false, true]);
});

test("without memory for answers, equal calls at once are one call all the same", async () => {
  const shop = rig({ cache: { maxAge } }, 0);
  const both = Promise.all([shop.ask("a"), shop.ask("a")]);
  await settled();
  shop.calls[0]?.answer("one");
  await both;
  expect(shop.calls).toHaveLength(1);
  expect(await answered(shop)).toMatchObject({ isAsked: true });
});
