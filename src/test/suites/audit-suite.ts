import { describe, expect, test } from "vitest";
import { type AuditOptions, audit } from "../../cli/audit/audit.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import { type Books, bookOrder, bookProduct, openBooks, orderId } from "./audit-parts.ts";

/** A shop of three orders, two confirmed, in which all is well. */
async function openRightBooks(kind: DatabaseKind): Promise<Books> {
  const books = await openBooks(kind);
  await bookProduct(books, "ABC", { sold: 2 });
  await bookOrder(books, 1, "confirmed");
  await bookOrder(books, 2, "cancelled");
  await bookOrder(books, 3, "confirmed");
  return books;
}

/** Something done to the books by hand: which rule sees it, and what it says. */
interface Break {
  readonly name: string;
  readonly rule: string;
  readonly says: string | RegExp;
  readonly does: readonly (readonly ["user" | "order" | "catalog", string])[];
}

const [one, two, three] = [orderId(1), orderId(2), orderId(3)];
const created = (n: number) => `019b0000-0000-7000-8000-00000000001${n}`;

const breaks: readonly Break[] = [
  {
    name: "an order that is gone",
    rule: "accepted orders",
    says: `order ${three} was accepted, and does not exist`,
    does: [["order", `delete from orders where id = '${three}'`]],
  },
  {
    name: "a second order of a request",
    rule: "accepted orders",
    says: /no request has made this order, or one has made two/,
    does: [["order", `delete from order_request_ids where request_id = 'request-2'`]],
  },
  {
    name: "an order that two requests share",
    rule: "accepted orders",
    says: `order ${one} belongs to 2 requests`,
    does: [["order", `update order_request_ids set resource = '${one}' where request_id = 'request-3'`]],
  },
  {
    name: "an event that was read past and not taken in",
    rule: "events order → user",
    says: /is lost: user has read past position 11/,
    does: [
      ["user", `delete from user_inbox where event_id = '${created(1)}'`],
      ["user", "insert into user_cursors (source, slot, position) values ('order', 0, 33)"],
    ],
  },
  {
    name: "an event that nobody has published",
    rule: "events order → catalog",
    says: /order has never published it/,
    does: [["order", `delete from order_events where id = '${created(1)}'`]],
  },
  {
    name: "an event that was given up",
    rule: "events catalog → order",
    says: /was given up by order: no such thing/,
    does: [
      [
        "order",
        `insert into order_parked_events (event_id, source, slot, type, subject, envelope, state, attempts, reason, parked_at)
          values ('${created(2)}', 'catalog', 0, 'shop.catalog.v1.StockReserved', '${one}', 'x', 'dead', 5, 'no such thing', '2026-11-21')`,
      ],
    ],
  },
  {
    name: "an order that was never told of as it is",
    rule: "orders and log",
    says: `order ${one} is cancelled; told: created 1 ×, confirmed 1 ×, cancelled 0 ×`,
    does: [["order", `update orders set status = 'cancelled' where id = '${one}'`]],
  },
  {
    name: "an order without a saga",
    rule: "sagas",
    says: `order ${two} is cancelled, and has no saga`,
    does: [["order", `delete from order_sagas where id = '${two}'`]],
  },
  {
    name: "a saga that is stuck",
    rule: "sagas",
    says: new RegExp(`saga ${two} is stuck at release`),
    does: [["order", `update order_sagas set state = 'stuck', step = 'release' where id = '${two}'`]],
  },
  {
    name: "a saga that ended otherwise than its order",
    rule: "sagas",
    says: new RegExp(`saga ${two} is completed at reserve-stock, and its order is cancelled`),
    does: [["order", `update order_sagas set state = 'completed' where id = '${two}'`]],
  },
  {
    name: "stock that has grown",
    rule: "stock",
    says: "ABC: received 10, but free 9 + reserved 0 + sold 2",
    does: [["catalog", "update products set stock = 9"]],
  },
  {
    name: "stock below nothing",
    rule: "stock",
    says: "ABC: received 1, but free -1 + reserved 0 + sold 2",
    does: [["catalog", "update products set stock = -1, received = 1"]],
  },
  {
    name: "goods kept for an order that was cancelled",
    rule: "reservations",
    says: `order ${two} is cancelled, its goods are reserved`,
    does: [
      [
        "catalog",
        `insert into reservations (order_id, sku, qty, state, updated_at) values ('${two}', 'ABC', 1, 'reserved', '2026-11-21')`,
      ],
    ],
  },
  {
    name: "a confirmed order without its goods",
    rule: "reservations",
    says: `order ${one} is confirmed, its goods are not reserved`,
    does: [["catalog", `delete from reservations where order_id = '${one}'`]],
  },
  {
    name: "goods sold twice",
    rule: "reservations",
    says: `order ${one} asks for ABC × 1, and has ABC × 2`,
    does: [["catalog", `update reservations set qty = 2 where order_id = '${one}'`]],
  },
  {
    name: "goods sold to nobody",
    rule: "reservations",
    says: `goods are sold for order ${orderId(9)}, which does not exist`,
    does: [["catalog", `update reservations set order_id = '${orderId(9)}' where order_id = '${three}'`]],
  },
  {
    name: "a list without an order",
    rule: "order lists",
    says: `order ${two} is cancelled (user 1, version 2), and is listed as nothing`,
    does: [["user", `delete from user_orders where order_id = '${two}'`]],
  },
  {
    name: "a list with an order that is another's",
    rule: "order lists",
    says: `order ${two} is cancelled (user 1, version 2), and is listed as cancelled (user 7, version 2)`,
    does: [["user", `update user_orders set user_id = 7 where order_id = '${two}'`]],
  },
];

/** What the checker says of databases of this kind. */
export function auditSuite(kind: DatabaseKind): void {
  const accepted = [1, 2, 3].map((n) => ({ requestId: `request-${n}`, orderId: orderId(n) }));
  const look = async ({ places }: Books, more: Partial<AuditOptions> = {}) => audit({ places, accepted, ...more });

  test("databases that agree are found right", async () => {
    await using books = await openRightBooks(kind);
    const { verdict, findings } = await look(books);
    expect(findings.flatMap(({ examples }) => examples)).toEqual([]);
    expect(verdict).toBe("right");
    expect(Object.fromEntries(findings.map(({ rule, checked }) => [rule, checked]))).toEqual({
      "accepted orders": 3,
      "events order → user": 6,
      "events order → catalog": 6,
      "events catalog → order": 3,
      "events user → order": 0,
      "orders and log": 3,
      sagas: 3,
      stock: 1,
      reservations: 3,
      "order lists": 3,
    });
  });

  describe("what was done by hand is found", () => {
    test.each(breaks)("$name", async ({ rule, says, does }) => {
      await using books = await openRightBooks(kind);
      for (const [name, sql] of does) await books.run(name, sql);
      const { verdict, findings } = await look(books);
      expect(verdict).toBe("wrong");
      const found = findings.find((finding) => finding.rule === rule);
      expect(found?.examples.join("\n")).toMatch(says);
      expect(found?.wrong).toBeGreaterThan(0);
    });
  });

  test("requests that make no order, such as those that cancel, are no concern of it", async () => {
    await using books = await openRightBooks(kind);
    const row = { content_hash: "x", resource: "", created_at: "2026-11-21 12:00:00" };
    for (const request_id of ["cancel-1", "cancel-2"])
      await books.insert("order", "order_request_ids", { request_id, ...row });
    expect((await look(books)).verdict).toBe("right");
  });

  test("what is on its way is told apart from what is wrong", async () => {
    await using books = await openRightBooks(kind);
    const last = `id = '019b0000-0000-7000-8000-000000000013'`;
    await books.run("order", `update order_events set position = null where ${last}`);
    await books.run("user", `delete from user_inbox where event_${last}`);
    await books.run("user", `update user_orders set status = 'pending', version = 1 where order_id = '${one}'`);
    await books.run("catalog", `delete from catalog_inbox where event_${last}`);
    await books.run("catalog", `update reservations set state = 'reserved' where order_id = '${one}'`);
    const { verdict, findings } = await look(books);
    expect(verdict).toBe("under way");
    expect(findings.filter(({ underWay }) => underWay > 0).map(({ rule }) => rule)).toEqual([
      "events order → user",
      "events order → catalog",
      "reservations",
      "order lists",
    ]);
  });

  test("what is under way is waited for", async () => {
    await using books = await openRightBooks(kind);
    await books.run("order", `update order_sagas set state = 'running' where id = '${one}'`);
    const found = look(books, { waitMs: 60_000 });
    expect((await look(books)).verdict).toBe("under way");
    await books.run("order", `update order_sagas set state = 'completed' where id = '${one}'`);
    expect((await found).verdict).toBe("right");
  });

  test("orders from before there were events are left alone", async () => {
    await using books = await openRightBooks(kind);
    await books.run("order", `delete from order_sagas where id = '${two}'`);
    await books.run("order", `delete from order_events where subject = '${two}'`);
    await books.run("user", "delete from user_inbox where event_id like '%2_'");
    await books.run("catalog", "delete from catalog_inbox where event_id like '%2_'");
    await books.run("user", `delete from user_orders where order_id = '${two}'`);
    const older = "019a0000-0000-7000-8000-000000000000";
    await books.run("order", `update orders set id = '${older}' where id = '${two}'`);
    await books.run("order", `update order_request_ids set resource = '${older}' where resource = '${two}'`);
    const { findings, verdict } = await look(books, { accepted: [] });
    expect(findings.flatMap(({ examples }) => examples)).toEqual([]);
    expect(verdict).toBe("right");
  });
}
