import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { errorWithInfo, resourceExhausted, unavailable } from "../../call/errors.ts";
import type { RetryRules } from "../../call/policy.ts";
import { contractRetry, type FailedAttempt } from "./retry-policy.ts";

const rules: RetryRules = {
  maxAttempts: 3,
  perAttemptTimeoutMs: undefined,
  initialBackoffMs: 25,
  maxBackoffMs: 250,
  codes: new Set([Code.Unavailable, Code.ResourceExhausted, Code.DeadlineExceeded]),
  maxDepth: 1,
};
const once: RetryRules = { ...rules, maxAttempts: 1 };
const info = { reason: "R", domain: "made.v1" };
const away = new ConnectError("away", Code.Unavailable);

const start = Date.UTC(2026, 0, 1);

const withPushback = (told: string, code = Code.Unavailable) =>
  new ConnectError("busy", code, { "grpc-retry-pushback-ms": told });

const facts = { attempt: 1, error: away, progress: "processed", elsewhere: true, retryDepth: 0 } as const;

/** What is decided, with dice that always choose the longest wait. */
function decided(failed: Partial<FailedAttempt>, byRules = rules) {
  const decision = contractRetry(byRules, () => 1)({ ...facts, remainingMs: 1_000, now: start, ...failed });
  return decision.kind === "again" ? [decision.waitMs, decision.free ? "free" : "paid"] : decision.why;
}

test.each([
  ["the first failure", {}, [25, "paid"]],
  ["the second", { attempt: 2 }, [50, "paid"]],
  ["the last attempt", { attempt: 3 }, "attempts used up"],
  ["an attempt's own timeout", { error: new ConnectError("", Code.DeadlineExceeded) }, [25, "paid"]],
  ["an error of the caller", { error: new ConnectError("", Code.NotFound) }, "the code is not worth another attempt"],
  ["too little time", { remainingMs: 25 }, "the deadline leaves no time for another attempt"],
  ["just enough time", { remainingMs: 26 }, [25, "paid"]],
  ["no deadline", { remainingMs: Number.POSITIVE_INFINITY }, [25, "paid"]],
  ["exhaustion without pushback", { error: resourceExhausted("", info) }, "the server is out of resources"],
  ["exhaustion with pushback", { error: resourceExhausted("", { ...info, retryAfterMs: 80 }) }, [80, "paid"]],
] as const)("after %s", (_, failed, expected) => {
  expect(decided(failed)).toEqual(expected);
});

test.each([
  ["a trailer", withPushback("120"), [120, "paid"]],
  ["a trailer of nothing", withPushback("0"), [0, "paid"]],
  ["RetryInfo", unavailable("", { ...info, retryAfterMs: 90 }), [90, "paid"]],
  ["Retry-After", new ConnectError("busy", Code.Unavailable, { "retry-after": "0" }), [0, "paid"]],
  ["a negative one", withPushback("-1"), "the server asked not to be asked again"],
  ["a malformed one", withPushback("soon"), "the server asked not to be asked again"],
  ["one beyond the deadline", withPushback("5000"), "the deadline leaves no time for another attempt"],
  ["one on a code not worth it", withPushback("1", Code.NotFound), "the code is not worth another attempt"],
] as const)("pushback by %s is obeyed", (_, error, expected) => {
  expect(decided({ error })).toEqual(expected);
});

test("what may have changed something is never sent again, not even with pushback", () => {
  for (const error of [away, withPushback("1")]) {
    expect(decided({ error }, once)).toBe("the contract does not allow a repeat");
  }
});

test.each(["not-sent", "refused"] as const)(
  "what was %s goes out again whatever the contract says, and for free",
  (progress) => {
    expect(decided({ progress }, once)).toEqual([0, "free"]);
    expect(decided({ progress, elsewhere: false }, once)).toEqual([25, "free"]);
    expect(decided({ progress, attempt: 4 }, once)).toEqual([0, "free"]);
    expect(decided({ progress, attempt: 5 }, once)).toBe("attempts used up");
    expect(decided({ progress, error: withPushback("-1") }, once)).toBe("the server asked not to be asked again");
  },
);

test("where every circuit is open it fails fast; where nobody is registered somebody may come any moment", () => {
  const refused = (reason: string) => errorWithInfo(Code.Unavailable, "", { reason, domain: "heddle" });
  const nowhere = { progress: "not-sent", elsewhere: false } as const;
  expect(decided({ ...nowhere, error: refused("CIRCUIT_OPEN") })).toBe("every circuit is open");
  expect(decided({ ...nowhere, error: refused("NO_ENDPOINT") })).toEqual([25, "free"]);
});

test("only the codes of the contract are worth another attempt", () => {
  const aborted = { ...rules, codes: new Set([Code.Aborted]) };
  expect(decided({}, aborted)).toBe("the code is not worth another attempt");
  expect(decided({ error: new ConnectError("", Code.Aborted) }, aborted)).toEqual([25, "paid"]);
});

test("below a hop that is repeating the call nothing is repeated, unless the contract lets depth grow", () => {
  const deep = "a hop above is repeating this already";
  expect(decided({ retryDepth: 1 })).toBe(deep);
  expect(decided({ retryDepth: 1, error: withPushback("1") })).toBe(deep);
  expect(decided({ retryDepth: 1 }, { ...rules, maxDepth: 2 })).toEqual([25, "paid"]);
  expect(decided({ retryDepth: 2 }, { ...rules, maxDepth: 2 })).toBe(deep);
});

test("what was not processed goes out again at any depth: it was no load to anybody", () => {
  expect(decided({ retryDepth: 3, progress: "refused" })).toEqual([0, "free"]);
});

test.each([
  [{}, "the contract allows a repeat"],
  [{ error: withPushback("5") }, "after as long as the server asked for"],
  [{ progress: "refused" }, "it was not processed, and another endpoint is left"],
  [{ progress: "not-sent", elsewhere: false }, "it was not processed"],
] as const)("people can read why an attempt is made again: %#", (failed, why) => {
  const decision = contractRetry(rules, () => 1)({ ...facts, remainingMs: 1_000, now: start, ...failed });
  expect(decision).toMatchObject({ kind: "again", why });
});
