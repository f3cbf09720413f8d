import { type Finding, Tally } from "./finding.ts";
import type { Shop } from "./shop.ts";

/** What a caller was answered with: an order's id, the id of the request that it was for, or both. */
export interface Accepted {
  readonly requestId?: string;
  readonly orderId?: string;
}

/** Requests of other methods are remembered beside those that made an order: they have made nothing. */
const creates = "resource <> ''";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Reads a list of what was accepted: on each line a request's id and the order's, or one of them. One word that looks like a
 * UUIDv7, which is what orders have, is an order's id.
 */
export function readAccepted(text: string): readonly Accepted[] {
  const lines = text.split("\n").map((line) => line.trim().split(/\s+/));
  return lines.flatMap(([first = "", second]): Accepted[] => {
    if (first === "") return [];
    if (second !== undefined) return [{ requestId: first, orderId: second }];
    return [uuid.test(first) ? { orderId: first } : { requestId: first }];
  });
}

/** Every order that was accepted exists, and no request made two. */
export async function acceptedRule({ order }: Shop, accepted: readonly Accepted[]): Promise<Finding> {
  const tally = new Tally("accepted orders", "each accepted order exists, and each request made one order");
  const made = new Map(accepted.flatMap(({ requestId }) => (requestId === undefined ? [] : [[requestId, ""]])));
  const orders = new Set(accepted.flatMap(({ orderId }) => orderId ?? []));
  for await (const page of order.pages(`select request_id, resource from order_request_ids where ${creates}`)) {
    for (const { request_id, resource } of page)
      if (made.has(String(request_id))) made.set(String(request_id), String(resource));
  }
  const missing = new Set([...orders, ...made.values()]);
  for await (const page of order.pages("select id from orders")) for (const { id } of page) missing.delete(String(id));
  for (const one of accepted) judge(tally, one, { made, missing });
  await judgeRequests({ order }, tally, {
    allByRequest: accepted.length > 0 && accepted.every(({ requestId }) => requestId !== undefined),
  });
  return tally.finding;
}

interface Known {
  /** Which order a request has made; empty if none. */
  readonly made: ReadonlyMap<string, string>;
  /** Orders that should exist and do not. */
  readonly missing: ReadonlySet<string>;
}

function judge(tally: Tally, { requestId, orderId }: Accepted, { made, missing }: Known): void {
  tally.check();
  const own = requestId === undefined ? orderId : made.get(requestId);
  if (own === undefined || own === "") tally.wrong(`request ${requestId} was accepted, and has made no order`);
  else if (missing.has(own)) tally.wrong(`order ${own} was accepted, and does not exist`);
  else if (orderId !== undefined && own !== orderId) {
    tally.wrong(`request ${requestId} was answered with order ${orderId}, and has made order ${own}`);
  }
}

/**
 * Requests that create nothing name no order. No order belongs to two requests, no request to an order that does not
 * exist; and if all came by requests, none to none.
 */
async function judgeRequests(
  { order }: Pick<Shop, "order">,
  tally: Tally,
  { allByRequest }: { readonly allByRequest: boolean },
): Promise<void> {
  const shared = await order.all(
    `select resource, count(*) as count from order_request_ids where ${creates}
      group by resource having count(*) > 1 order by resource limit 10`,
  );
  for (const { resource, count } of shared) tally.wrong(`order ${resource} belongs to ${count} requests`);
  const counted = async (sql: string, said: string) => {
    const [found] = await order.all(sql);
    if (Number(found?.count) > 0) tally.wrong(`${said}: ${found?.id}`, Number(found?.count));
  };
  await counted(
    `select count(*) as count, min(request_id) as id from order_request_ids r
      where ${creates} and not exists (select 1 from orders o where o.id = r.resource)`,
    "a request belongs to an order that does not exist",
  );
  if (!allByRequest) return;
  await counted(
    `select count(*) as count, min(o.id) as id from orders o
      left join order_request_ids r on r.resource = o.id where r.request_id is null`,
    "no request has made this order, or one has made two",
  );
}
