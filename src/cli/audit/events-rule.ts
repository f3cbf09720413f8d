import type { Row } from "../databases/snapshot.ts";
import { type Finding, Tally } from "./finding.ts";
import type { Following, InFlight, Shop } from "./shop.ts";
import { sideBySide, sortedBy } from "./side-by-side.ts";

/**
 * Each event of a log that somebody follows was taken in once, or is on its way: not published yet, not read yet, or waiting
 * for another try. Notes in `inFlight` the subjects of which there is still something to hear.
 */
export async function eventsRule(shop: Shop, following: Following, inFlight: InFlight): Promise<Finding> {
  const { source, consumer, types } = following;
  const tally = new Tally(`events ${source} → ${consumer}`, `what ${source} tells is applied once by ${consumer}`);
  const [log, theirs] = [shop[source], shop[consumer]];
  const cursors = await cursorsOf(shop, following);
  const columns = "position, slot, type, subject";
  const logSql = `select id as key, ${columns} from ${source}_events ${sortedBy("id", log)}`;
  const of = (table: string, more: string) =>
    `select event_id as key${more} from ${consumer}_${table} where source = '${source}' ${sortedBy("event_id", theirs)}`;
  const matches = sideBySide(
    { of: log, sql: logSql },
    { of: theirs, sql: of("inbox", "") },
    { of: theirs, sql: of("parked_events", ", subject, state, reason") },
  );
  for await (const { key, rows } of matches) {
    const [[event], [taken], [parked]] = rows as [Row[], Row[], Row[]];
    if (event !== undefined && !types.has(String(event.type))) continue;
    tally.check();
    const subject = String((event ?? parked)?.subject);
    const name = `event ${key}${event ? ` (${event.type} of ${event.subject})` : ""}`;
    if (event === undefined) tally.wrong(`${name} was taken in by ${consumer}, and ${source} has never published it`);
    else if (parked?.state === "dead") tally.wrong(`${name} was given up by ${consumer}: ${parked.reason}`);
    else if (parked !== undefined) wait(`${name} waits for another try: ${parked.reason}`);
    else if (taken !== undefined) continue;
    else if (event.position === null) wait(`${name} is not published yet`);
    else if (Number(event.position) > (cursors.get(Number(event.slot)) ?? 0))
      wait(`${name} has not reached ${consumer}`);
    else tally.wrong(`${name} is lost: ${consumer} has read past position ${event.position}, and has not taken it in`);

    function wait(example: string): void {
      tally.underWay(example);
      inFlight.add(source, consumer, subject);
    }
  }
  return tally.finding;
}

/** How far the consumer has read each slot; nothing where a broker counts for it. */
async function cursorsOf(shop: Shop, { source, consumer }: Following): Promise<ReadonlyMap<number, number>> {
  const sql = `select slot, position from ${consumer}_cursors where source = '${source}'`;
  const rows = await shop[consumer].all(sql);
  return new Map(rows.map(({ slot, position }) => [Number(slot), Number(position)]));
}
