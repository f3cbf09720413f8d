import { timeoutMs } from "./contract.ts";
import { type Course, lost, quantileMs, type Span, successRatio, within } from "./course.ts";
import { atLeast, atMost, type Figure, type Reading } from "./figure.ts";
import { realTrouble } from "./real-trouble.ts";
import { simulatedTrouble } from "./simulated-trouble.ts";
import { type CallerRow, inMs, inPercent, type Situation, type Way } from "./situation.ts";
import { type Courses, times } from "./trouble.ts";
import { type TroubleName, troubles } from "./troubles.ts";

/** Two at a time, in the same moments: of more, what each costs the machine delays the others. */
const turns = [
  ["heddle", "grpc-js"],
  ["nice-grpc", "connect-node"],
] as const;
const trouble: Span = { fromMs: 0, toMs: times.troubleMs };
/** A timer may be this late on a busy machine. */
const lateMs = 50;

type Read = (courses: Courses) => Reading;

const during = (courses: Courses, peer: string) => within(courses.get(peer) ?? [], trouble);

/** Heddle's p99 by that of the first of these who was there. */
function p99Ratio(courses: Courses): Reading {
  const other = ["round robin", "grpc-js"].find((peer) => courses.has(peer)) ?? "";
  const [own, theirs] = [during(courses, "heddle"), during(courses, other)].map((course) => quantileMs(course, 0.99));
  const ratio = (own ?? Number.NaN) / (theirs ?? Number.NaN);
  return atMost(0.2, ratio, `${ratio.toFixed(2)} (${inMs(own ?? 0)} ÷ ${inMs(theirs ?? 0)})`);
}

function lostReads(courses: Courses): Reading {
  const course = within(during(courses, "heddle"), trouble, "read");
  return atMost(0, lost(course), `${lost(course)} of ${course.length}`);
}

function longestWrite(courses: Courses): Reading {
  const course = within(during(courses, "heddle"), trouble, "write");
  const ms = quantileMs(course, 1);
  return atMost(timeoutMs + lateMs, ms, `${lost(course)} of ${course.length} lost, none took more than ${inMs(ms)}`);
}

function readSuccess(courses: Courses): Reading {
  const ratio = successRatio(within(during(courses, "heddle"), trouble, "read"));
  return atLeast(0.999, ratio, inPercent(ratio));
}

interface Told {
  readonly title: string;
  readonly about: string;
  readonly figures: readonly { readonly what: string; readonly toReach: string; readonly read: Read }[];
}

const told: Readonly<Record<TroubleName, Told>> = {
  slow: {
    title: "One of 5 replicas takes ten times as long",
    about: "150 calls a second; the first replica's median goes from 10 ms to 100 ms.",
    figures: [{ what: "one of 5 replicas 10 × slower: p99 ÷ p99 of round robin", toReach: "≤ 0.2", read: p99Ratio }],
  },
  "black hole": {
    title: "One of 3 replicas falls silent",
    about:
      "500 calls a second, a fifth of them such as may not be repeated. Simulated, nothing that the machine sends or is sent arrives; real, its process is stopped (SIGSTOP): its kernel takes all that is sent, and nobody answers.",
    figures: [
      { what: "one of 3 black-holed: idempotent calls lost in the 10 s after", toReach: "0", read: lostReads },
      { what: "the same: others fail within their deadline", toReach: `${timeoutMs} ms`, read: longestWrite },
    ],
  },
  "failing half": {
    title: "One of 3 replicas fails half of its calls",
    about:
      "300 calls a second, a fifth of them such as may not be repeated; failures are UNAVAILABLE, and take as long as answers.",
    figures: [{ what: "one of 3 failing half: idempotent calls answered", toReach: "≥ 99.9 %", read: readSuccess }],
  },
};

/** Lets one replica get into trouble, simulated and real. */
export async function measureTrouble(name: TroubleName): Promise<Situation> {
  const simulated = await simulatedTrouble(troubles[name]);
  const real = new Map<string, Course>();
  for (const peers of turns) {
    for (const [peer, course] of await realTrouble(troubles[name], peers)) real.set(peer, course);
  }
  const { title, about, figures } = told[name];
  return {
    name: name.replaceAll(" ", "-"),
    title,
    about,
    figures: figures.map(
      ({ read, ...figure }): Figure => ({ ...figure, simulated: read(simulated), real: read(real) }),
    ),
    columns: ["p50", "p99", "longest", "idempotent lost", "others lost"],
    rows: [...rows("simulated", simulated), ...rows("real", real)],
    panels: [panel("simulated", simulated), panel("real", real)],
    times: { trouble, shown: { fromMs: -times.beforeMs, toMs: times.troubleMs + times.afterMs } },
  };
}

function rows(way: Way, courses: Courses): CallerRow[] {
  return [...courses].map(([name, all]) => {
    const course = within(all, trouble);
    const writes = within(course, trouble, "write");
    const of = (part: Course) => (part.length === 0 ? "" : `${lost(part)} of ${part.length}`);
    const [p50, p99, longest] = [0.5, 0.99, 1].map((ratio) => inMs(quantileMs(course, ratio)));
    const reads = course.filter(({ method }) => method !== "write");
    return { way, name, cells: [p50 ?? "", p99 ?? "", longest ?? "", of(reads), of(writes)] };
  });
}

function panel(way: Way, courses: Courses) {
  return { title: way, lines: [...courses].map(([name, course]) => ({ name, course })) };
}
