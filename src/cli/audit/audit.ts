import { type Clock, systemClock } from "../../base/clock.ts";
import { openSnapshots } from "../databases/open-databases.ts";
import type { Snapshot } from "../databases/snapshot.ts";
import type { Place } from "../databases/where.ts";
import { type Accepted, acceptedRule } from "./accepted-rule.ts";
import { eventsRule } from "./events-rule.ts";
import type { Finding } from "./finding.ts";
import { listRule } from "./list-rule.ts";
import { ordersRules } from "./orders-rules.ts";
import { followings, InFlight, type Shop } from "./shop.ts";
import { reservationsRule, stockRule } from "./stock-rules.ts";

/** What all rules come to together. */
export type Verdict = "right" | "under way" | "wrong";

/** What an audit has found. */
export interface Audit {
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
}

/** What to audit, and how long to wait for what is under way. */
export interface AuditOptions {
  /** Where the rows of user, order and catalog are. */
  readonly places: readonly Place[];
  /** What callers were told exists. */
  readonly accepted?: readonly Accepted[];
  /** If unset, what is under way is not waited for. */
  readonly waitMs?: number;
  readonly clock?: Clock;
}

const pauseMs = 500;

/**
 * Reads the databases of the shop, all as they were at one instant, and says whether they agree. What is wrong at one instant
 * is wrong for good; what is under way is looked at again until nothing is, or the wait is over.
 */
export async function audit({ places, accepted = [], waitMs = 0, clock = systemClock }: AuditOptions): Promise<Audit> {
  const giveUpAt = clock.now() + waitMs;
  for (;;) {
    const found = await lookOnce(places, accepted, clock);
    if (found.verdict !== "under way" || clock.now() >= giveUpAt) return found;
    await clock.sleep(pauseMs);
  }
}

async function lookOnce(places: readonly Place[], accepted: readonly Accepted[], clock: Clock): Promise<Audit> {
  await using pinned = await openSnapshots(places, clock);
  const of = (name: keyof Shop) => pinned.snapshots.get(name) as Snapshot;
  const shop: Shop = { user: of("user"), order: of("order"), catalog: of("catalog") };
  const inFlight = new InFlight();
  const findings: Finding[] = [await acceptedRule(shop, accepted)];
  for (const following of followings) findings.push(await eventsRule(shop, following, inFlight));
  findings.push(...(await ordersRules(shop)), await stockRule(shop));
  findings.push(await reservationsRule(shop, inFlight), await listRule(shop, inFlight));
  return { verdict: verdictOf(findings), findings };
}

function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some(({ wrong }) => wrong > 0)) return "wrong";
  return findings.some(({ underWay }) => underWay > 0) ? "under way" : "right";
}
