import { countBetween } from "./arrivals.ts";
import { lost, quantileMs, recoveryMs, type Span, successRatio, within } from "./course.ts";
import { atMost, type Reading } from "./figure.ts";
import { realStorm } from "./real-storm.ts";
import { simulatedStorm } from "./simulated-storm.ts";
import { type CallerRow, inMs, inPercent, type Situation, type Way } from "./situation.ts";
import { type StormCourse, stormTimes } from "./storm.ts";

const { beforeMs, troubleMs, afterMs } = stormTimes;
const trouble: Span = { fromMs: 0, toMs: troubleMs };
const after: Span = { fromMs: troubleMs, toMs: troubleMs + afterMs };

/** As usual: nearly all is answered, and in no more than twice the time it took before. */
const sliceMs = 250;
const minSuccessRatio = 0.98;

/** Attempts that came to the backend, by calls that came from callers. */
function loadRatio({ course, arrivals }: StormCourse): number {
  return countBetween(arrivals, trouble.fromMs, trouble.toMs) / within(course, trouble).length;
}

function recovery({ course }: StormCourse): number {
  const before = within(course, { fromMs: -beforeMs, toMs: 0 });
  return recoveryMs(course, after, sliceMs, { minSuccessRatio, maxP99Ms: 2 * quantileMs(before, 0.99) });
}

function load(storm: StormCourse | undefined): Reading {
  const ratio = storm === undefined ? Number.NaN : loadRatio(storm);
  return atMost(1.25, ratio, `${ratio.toFixed(2)} ×`);
}

function back(storm: StormCourse | undefined): Reading {
  const ms = storm === undefined ? Number.NaN : recovery(storm);
  return atMost(2_000, ms, `${(ms / 1_000).toFixed(2)} s`);
}

/** Takes most of the backend's workers away for a while, simulated and real. */
export async function measureStorm(): Promise<Situation> {
  const simulated = new Map([["heddle", await simulatedStorm()]]);
  const real = await realStorm(["heddle", "grpc-js", "nice-grpc"]);
  const [own, realOwn] = [simulated.get("heddle"), real.get("heddle")];
  return {
    name: "retry-storm",
    title: "A backend three hops away can do half of what it is asked for",
    about:
      "200 calls a second go to Front, which asks Middle, which asks Back, each with up to 3 attempts; Back's two replicas have a few workers each, and most of these are gone for 8 s. The real servers are Heddle's; those of peers' chains refuse nothing.",
    figures: [
      {
        what: "retry storm, three hops: load on the backend",
        toReach: "≤ 1.25 ×",
        simulated: load(own),
        real: load(realOwn),
      },
      {
        what: "the same: back to normal after the cause ends",
        toReach: "≤ 2 s",
        simulated: back(own),
        real: back(realOwn),
      },
    ],
    columns: ["load on the backend", "answered", "of what it can", "p99", "back to normal", "lost after"],
    rows: [...rows("simulated", simulated), ...rows("real", real)],
    panels: [panel("simulated", simulated), panel("real", real)],
    times: { trouble, shown: { fromMs: -beforeMs, toMs: troubleMs + afterMs } },
  };
}

/** What the workers that are left can answer, of what is asked. */
const possibleRatio = 96 / 200;

function rows(way: Way, storms: ReadonlyMap<string, StormCourse>): CallerRow[] {
  return [...storms].map(([name, storm]) => {
    const course = within(storm.course, trouble);
    const cells = [
      `${loadRatio(storm).toFixed(2)} ×`,
      inPercent(successRatio(course)),
      inPercent(successRatio(course) / possibleRatio),
      inMs(quantileMs(course, 0.99)),
      `${(recovery(storm) / 1_000).toFixed(2)} s`,
      `${lost(within(storm.course, after))}`,
    ];
    return { way, name, cells };
  });
}

function panel(way: Way, storms: ReadonlyMap<string, StormCourse>) {
  return { title: way, lines: [...storms].map(([name, { course }]) => ({ name, course })) };
}
