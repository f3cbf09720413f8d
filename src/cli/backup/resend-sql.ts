import { allSlots } from "../../events/slots.ts";
import type { ManifestEntry } from "./manifest.ts";

/**
 * What is written into a restored database so that its logs are sent to the broker again: one that was not restored with them may
 * have lost what was sent and not consumed. Who has taken an event in does not do so again. Without a broker it does nothing.
 */
export function resendSql({ names, kind, rows }: Pick<ManifestEntry, "names" | "kind" | "rows">): readonly string[] {
  const publishers = names.filter((name) => `${name}_event_resends` in rows);
  return publishers.map((name) => resend(kind === "postgres" ? `public.${name}` : name));
}

function resend(name: string): string {
  const slots = allSlots.map((slot) => `select ${slot} as slot`).join(" union all ");
  return `insert into ${name}_event_resends (slot, next, last)
    select slots.slot, 1, log.last from (${slots}) as slots cross join (select max(position) as last from ${name}_events) as log
    where log.last is not null
    on conflict (slot) do update set next = excluded.next, last = excluded.last`;
}
