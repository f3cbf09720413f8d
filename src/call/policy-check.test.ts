import { expect, test } from "vitest";
import { contract, type MadeField, type MadeMethod, requestIdContract } from "../testing/contract.ts";
import { assertPolicies, methodPolicy, PolicyError } from "./policy.ts";

type Policy = NonNullable<MadeMethod["policy"]>;
type Kind = Omit<MadeMethod, "name" | "policy">;

const safe: Kind = { idempotency: "read-only" };
const unsafe: Kind = {};
const old: Kind = { deprecated: true };
const ms = (count: number) => ({ nanos: count * 1_000_000 });
const seconds = (count: number) => ({ seconds: BigInt(count) });
const afterDelay = (value: { seconds?: bigint; nanos?: number }) => ({ after: { case: "afterDelay" as const, value } });
const afterPercentile = (value: number) => ({ after: { case: "afterPercentile" as const, value } });

/** What is wrong with a method of this kind and policy, without the method's name. */
function wrongWith(kind: Kind, policy: Policy): string[] {
  try {
    assertPolicies(contract([{ name: "Do", ...kind, policy }]));
    return [];
  } catch (reason) {
    expect(reason).toBeInstanceOf(PolicyError);
    return (reason as PolicyError).message.split("\n").map((line) => line.replace("made.v1.MadeService/Do: ", ""));
  }
}

const notSafe = "idempotency_level does not say that a repeat is safe, and no field of the request is its request_id";

const contradictions: readonly (readonly [kind: Kind, policy: Policy, wrong: string])[] = [
  [
    {},
    { deprecation: { since: "2026-12-01" } },
    "deprecation is set, but neither the method nor its service has option deprecated = true",
  ],
  ...["", "tomorrow", "2026-13-01", "2026-02-30", "2026-12-01T00:00:00Z"].map(
    (since) =>
      [
        old,
        { deprecation: { since } },
        `deprecation.since is "${since}"; it has to be a day, as "2026-12-01"`,
      ] as const,
  ),
  [
    old,
    { deprecation: { since: "2026-12-01", sunset: "soon" } },
    'deprecation.sunset is "soon"; it has to be a day, as "2027-12-01"',
  ],
  [
    old,
    { deprecation: { since: "2026-12-01", sunset: "2026-11-30" } },
    "deprecation.sunset (2026-11-30) is before deprecation.since (2026-12-01)",
  ],
  [
    old,
    { deprecation: { since: "2026-12-01", successor: "/v2/users/{id}" } },
    'deprecation.successor is "/v2/users/{id}"; it has to be a path, as "/v2/users", or an https URL',
  ],
  [
    old,
    { deprecation: { since: "2026-12-01", documentation: 'https://a>; rel="evil' } },
    'deprecation.documentation is "https://a>; rel="evil"; it has to be a path, as "/v2/users", or an https URL',
  ],
  [safe, { timeout: ms(0) }, "timeout is not positive"],
  [safe, { timeout: seconds(-1) }, "timeout is not positive"],
  [safe, { timeout: seconds(61) }, "timeout is 61000 ms; 60000 ms is the most that a server lets a call run"],
  [safe, { retry: { perAttemptTimeout: ms(0) } }, "retry.per_attempt_timeout is not positive"],
  [safe, { retry: { initialBackoff: ms(0) } }, "retry.initial_backoff is not positive"],
  [safe, { retry: { initialBackoff: ms(1), maxBackoff: seconds(-1) } }, "retry.max_backoff is not positive"],
  [safe, { breaker: { openTime: ms(0) } }, "breaker.open_time is not positive"],
  [safe, { breaker: { openTime: ms(1), maxOpenTime: ms(0) } }, "breaker.max_open_time is not positive"],
  [safe, { rateLimit: { calls: 1, period: ms(0) } }, "rate_limit.period is not positive"],
  [
    safe,
    { timeout: ms(400), retry: { perAttemptTimeout: ms(401) } },
    "retry.per_attempt_timeout (401 ms) is above timeout (400 ms)",
  ],
  [
    safe,
    { retry: { perAttemptTimeout: seconds(6) } },
    "retry.per_attempt_timeout (6000 ms) is above timeout (5000 ms by default)",
  ],
  [
    safe,
    { retry: { initialBackoff: ms(20), maxBackoff: ms(10) } },
    "retry.initial_backoff (20 ms) is above retry.max_backoff (10 ms)",
  ],
  [
    safe,
    { retry: { initialBackoff: seconds(1) } },
    "retry.initial_backoff (1000 ms) is above retry.max_backoff (250 ms by default)",
  ],
  [safe, { retry: { maxAttempts: 6 } }, "retry.max_attempts is 6; 5 is the most"],
  [unsafe, { retry: { maxAttempts: 2 } }, `retry.max_attempts is above 1, but ${notSafe}`],
  [unsafe, { hedge: afterDelay(ms(1)) }, `hedge is set, but ${notSafe}`],
  [{ ...safe, stream: true }, { hedge: afterDelay(ms(1)) }, "hedge is set on a stream; only unary calls are hedged"],
  [safe, { hedge: {} }, "hedge has neither after_delay nor after_percentile"],
  [safe, { timeout: ms(10), hedge: afterDelay(ms(11)) }, "hedge.after_delay (11 ms) is above timeout (10 ms)"],
  [safe, { hedge: afterDelay(seconds(6)) }, "hedge.after_delay (6000 ms) is above timeout (5000 ms by default)"],
  [safe, { hedge: afterDelay(ms(0)) }, "hedge.after_delay is not positive"],
  [safe, { hedge: afterPercentile(49) }, "hedge.after_percentile is 49; it has to be from 50 to 99"],
  [safe, { hedge: afterPercentile(100) }, "hedge.after_percentile is 100; it has to be from 50 to 99"],
  [safe, { hedge: { ...afterPercentile(95), maxExtra: 4 } }, "hedge.max_extra is 4; 3 is the most"],
  [safe, { breaker: { minSuccessPercent: 101 } }, "breaker.min_success_percent is 101; 100 is the most"],
  [
    safe,
    { breaker: { openTime: seconds(2), maxOpenTime: seconds(1) } },
    "breaker.open_time (2000 ms) is above breaker.max_open_time (1000 ms)",
  ],
  [
    safe,
    { retry: { maxAttempts: 2 }, hedge: { ...afterPercentile(95), maxExtra: 2 } },
    "hedge.max_extra (2) is not below retry.max_attempts (2), which counts every send",
  ],
  [safe, { retry: { maxDepth: 4 } }, "retry.max_depth is 4; 3 is the most"],
  [safe, { breaker: { maxSlowPercent: 101 } }, "breaker.max_slow_percent is 101; 100 is the most"],
  [safe, { breaker: { slowFactor: 0.5 } }, "breaker.slow_factor is 0.5; it has to be 1 or more"],
  [
    { ...safe, stream: true },
    { fallback: { responseJson: "{}" } },
    "fallback is set on a stream; only unary calls have one",
  ],
  [
    safe,
    { fallback: { responseJson: '{"txt": ""}' } },
    'fallback.response_json is no made.v1.Text: cannot decode message made.v1.Text from JSON: key "txt" is unknown',
  ],
  [safe, { access: { anonymous: true, scopes: ["users:read"] } }, "access is anonymous and asks for scopes"],
  [safe, { rateLimit: {} }, "rate_limit.calls is 0"],
  [
    { idempotency: "idempotent" },
    { cache: { maxAge: seconds(1) } },
    "cache is set, but idempotency_level is not NO_SIDE_EFFECTS",
  ],
  [safe, { cache: {} }, "cache.max_age is not positive"],
  [safe, { cache: { maxAge: seconds(-1) } }, "cache.max_age is not positive"],
  [unsafe, { created: {} }, "created.location is empty"],
];

test.each(contradictions.map(([kind, policy, wrong]) => ({ kind, policy, wrong })))(
  "$wrong",
  ({ kind, policy, wrong }) => {
    expect(wrongWith(kind, policy)).toEqual([wrong]);
  },
);

const limits: readonly (readonly [kind: Kind, policy: Policy])[] = [
  [safe, { timeout: ms(400), retry: { perAttemptTimeout: ms(400), maxAttempts: 5 } }],
  [unsafe, { retry: { maxAttempts: 1 } }],
  [safe, { retry: { maxBackoff: ms(10) } }],
  [safe, { hedge: { ...afterPercentile(50), maxExtra: 3 } }],
  [safe, { hedge: afterPercentile(99) }],
  [{ ...safe, stream: true }, { retry: { perAttemptTimeout: seconds(10) } }],
  [safe, { breaker: { minSuccessPercent: 100, openTime: seconds(1), maxOpenTime: seconds(1) } }],
  [safe, { breaker: { openTime: seconds(90) } }],
  [safe, { rateLimit: { calls: 1 }, cache: { maxAge: ms(1) }, access: { anonymous: true } }],
];

test("what is just at its limit is kept", () => {
  for (const [kind, policy] of limits) expect(wrongWith(kind, policy)).toEqual([]);
});

test("all that is wrong with a service is told at once, a line each, by method", () => {
  const service = contract([
    { name: "Good" },
    { name: "Bad", policy: { timeout: ms(0), rateLimit: {} } },
    { name: "Worse", policy: { retry: { maxAttempts: 9 } } },
  ]);
  expect(() => assertPolicies(service)).toThrow(
    [
      "made.v1.MadeService/Bad: timeout is not positive",
      "made.v1.MadeService/Bad: rate_limit.calls is 0",
      "made.v1.MadeService/Worse: retry.max_attempts is 9; 5 is the most",
      `made.v1.MadeService/Worse: retry.max_attempts is above 1, but ${notSafe}`,
    ].join("\n"),
  );
});

test("what a service says for all is held against each method it reaches", () => {
  const service = contract([{ name: "Do", policy: { timeout: ms(100) }, ...safe }], {
    defaults: { retry: { perAttemptTimeout: ms(200) } },
  });
  expect(() => assertPolicies(service)).toThrow("made.v1.MadeService/Do: retry.per_attempt_timeout (200 ms) is above");
});

test("reading the policy of a method that contradicts itself is refused too", () => {
  const [method] = contract([{ name: "Do", policy: { timeout: ms(0) } }]).methods;
  expect(() => method && methodPolicy(method)).toThrow(PolicyError);
});

const misnamed: readonly (readonly [fields: MadeField[], kind: Kind, wrong: string])[] = [
  [[{ name: "a" }, { name: "b" }], {}, "request_id is set on 2 fields of made.v1.Text (a, b); one is the most"],
  [
    [{ name: "a", type: "int64" }],
    {},
    "request_id is set on made.v1.Text.a; it has to be a string of its own, in no list, map or oneof",
  ],
  [
    [{ name: "a", isList: true }],
    {},
    "request_id is set on made.v1.Text.a; it has to be a string of its own, in no list, map or oneof",
  ],
  [
    [{ name: "a" }],
    { stream: true },
    "request_id is set on made.v1.Text.a, but the method is a stream; only unary calls are repeated",
  ],
  [
    [{ name: "a" }],
    { idempotency: "read-only" },
    "request_id is set on made.v1.Text.a, but the method changes nothing: idempotency_level says so",
  ],
];

test.each(misnamed.map(([fields, kind, wrong]) => ({ fields, kind, wrong })))("$wrong", ({ fields, kind, wrong }) => {
  expect(() => assertPolicies(requestIdContract(fields, kind))).toThrow(`made.v1.MadeService/Do: ${wrong}`);
});

test("a method whose request names itself may be repeated and hedged", () => {
  const policy = { retry: { maxAttempts: 4 }, hedge: afterDelay(ms(1)) };
  const [method] = requestIdContract([{ name: "a" }], { policy }).methods;
  expect(method && methodPolicy(method).retry.maxAttempts).toBe(4);
  const [bare] = requestIdContract([{ name: "a" }]).methods;
  expect(bare && methodPolicy(bare).retry.maxAttempts).toBe(3);
  const [unmarked] = requestIdContract([{ name: "request_id", isMarked: false }]).methods;
  expect(unmarked && methodPolicy(unmarked).retry.maxAttempts).toBe(1);
});
