import { timeoutMs } from "./contract.ts";
import { quantileMs, within } from "./course.ts";
import { atLeast, holds, type Reading } from "./figure.ts";
import { answeredByCriticality, goodputRatio, type OverloadCourse, overloaded, overloadTimes } from "./overload.ts";
import { realOverload, type ServerName } from "./real-overload.ts";
import { simulatedOverload } from "./simulated-overload.ts";
import { type CallerRow, inMs, inPercent, type Situation, type Way } from "./situation.ts";

type Overloads = ReadonlyMap<string, OverloadCourse>;

const realServers: readonly ServerName[] = ["heddle", "heddle, no limits", "grpc-js"];

function goodputReading(overloads: Overloads): Reading {
  const own = overloads.get("heddle");
  const ratio = own === undefined ? Number.NaN : goodputRatio(own, timeoutMs);
  return atLeast(0.9, ratio, ratio.toFixed(2));
}

function order(overloads: Overloads): Reading {
  const own = overloads.get("heddle");
  const [critical, normal, sheddable] = own === undefined ? [0, 0, 0] : answeredByCriticality(own);
  const text = [critical, normal, sheddable].map(inPercent).join(" ≥ ");
  return holds(critical >= normal && normal >= sheddable && critical > sheddable, text);
}

/** Offers a server twice what it can do, simulated and real, one server after the other. */
export async function measureOverload(): Promise<Situation> {
  const simulated = new Map<string, OverloadCourse>();
  for (const name of ["heddle", "heddle, no limits"] as const) simulated.set(name, await simulatedOverload(name));
  const real = new Map<string, OverloadCourse>();
  for (const name of realServers) real.set(name, await realOverload(name));
  return {
    name: "overload",
    title: "A server is offered twice what it can do",
    about:
      "A fifth of the calls are critical, a fifth sheddable; what is answered within the second that a call has counts. Simulated, calls wait for a pool of 8 behind the server; real, each computes for a millisecond. Before and after, 0.6 of what it can do; callers are the servers' own clients.",
    figures: [
      {
        what: "overload at 2 × capacity: goodput ÷ best goodput",
        toReach: "≥ 0.9",
        ...{ simulated: goodputReading(simulated), real: goodputReading(real) },
      },
      {
        what: "the same: criticality order kept",
        toReach: "critical ≥ normal ≥ sheddable",
        ...{ simulated: order(simulated), real: order(real) },
      },
    ],
    columns: ["best", "goodput ÷ best", "critical", "normal", "sheddable", "p99 of what is answered"],
    rows: [...rows("simulated", simulated), ...rows("real", real)],
    panels: [panel("simulated", simulated), panel("real", real)],
    times: {
      trouble: overloaded,
      shown: { fromMs: -overloadTimes.beforeMs, toMs: overloadTimes.troubleMs + overloadTimes.afterMs },
    },
  };
}

function rows(way: Way, overloads: Overloads): CallerRow[] {
  return [...overloads].map(([name, own]) => {
    const answered = within(own.course, overloaded).filter(({ ok }) => ok);
    const cells = [
      `${own.bestPerSecond.toFixed(0)}/s`,
      goodputRatio(own, timeoutMs).toFixed(2),
      ...answeredByCriticality(own).map(inPercent),
      inMs(quantileMs(answered, 0.99)),
    ];
    return { way, name, cells };
  });
}

function panel(way: Way, overloads: Overloads) {
  return { title: way, lines: [...overloads].map(([name, { course }]) => ({ name, course })) };
}
