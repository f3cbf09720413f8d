import { expect, test, vi } from "vitest";
import { openEventShop, typedInto } from "../../test/suites/event-shop.ts";
import { eventually } from "../../testing/eventually.ts";
import { freePort } from "../../testing/free-port.ts";
import { events } from "./events.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

/** A shop whose user service cannot bear the orders named, and its command line. */
async function openShop(bad = new Set<string>()) {
  const shop = await openEventShop((what) => {
    if (bad.has(what)) throw new Error(`${what} is too much`);
  });
  const env = { HEDDLE_HOME: shop.home, HEDDLE_DISCOVERY: shop.discovery };
  const typed = (line: string, more: NodeJS.ProcessEnv = {}) =>
    typedInto(
      events,
      { ...env, ...more },
      line.split(" ").filter((word) => word !== ""),
    );
  return { ...shop, typed };
}

/** What is listed, by machines' measure. */
async function listed({ typed }: Awaited<ReturnType<typeof openShop>>, line: string) {
  return JSON.parse((await typed(`list ${line} --json`)).out);
}

test("list shows what was published, newest first, by type and by subject", async () => {
  await using shop = await openShop();
  for (const id of ["a", "b", "c"]) await shop.publish(id);
  await eventually("all are taken in", async () => (await shop.seen()).length === 3);
  const { status, out } = await shop.typed("list");
  expect(status).toBe(0);
  expect(out).toMatch(/time \(UTC\) +source +position +type +subject +id\n/);
  expect(out).toMatch(/ order +3 +shop\.order\.v1\.OrderCreated +c +[\w-]{36}\n.* 2 .* b .*\n.* 1 .* a /);
  expect((await listed(shop, "--subject b")).map(({ subject }: { subject: string }) => subject)).toEqual(["b"]);
  expect(await listed(shop, "--type shop.order.v1.OrderCancelled")).toEqual([]);
  expect((await shop.typed("list order --unpublished")).out).toBe("There are no such events.\n");
});

test("show tells what an event says; one that nobody knows, where it was looked for", async () => {
  await using shop = await openShop();
  await shop.publish("a");
  await eventually("it is taken in", async () => (await shop.seen()).length === 1);
  const [{ id }] = await listed(shop, "");
  const { status, out } = await shop.typed(`show ${id}`);
  expect(status).toBe(0);
  expect(out).toContain(`id       ${id}`);
  expect(out).toContain("position 1, slot");
  expect(out).toContain('{\n  "order": {\n    "id": "a"');
  const missing = await shop.typed("show nobody");
  expect(missing.status).toBe(1);
  expect(missing.out).toBe(
    "There is no event nobody: neither in the log of order, nor among what user could not take in.\n",
  );
});

test("a dead letter is listed and shown with its reason, and replayed once it is mended", async () => {
  const bad = new Set(["created a"]);
  await using shop = await openShop(bad);
  await shop.publish("a");
  await eventually("it is dead", async () => (await listed(shop, "--dead")).length === 1);
  const { out } = await shop.typed("list user --dead");
  expect(out).toMatch(/user .* dead +2 +shop\.order\.v1\.OrderCreated +a +[\w-]{36} +created a is too much/);
  expect(await listed(shop, "--dead --subject b")).toEqual([]);
  expect(await listed(shop, "--waiting")).toEqual([]);
  const [{ event }] = await listed(shop, "--dead");
  const { id } = event;
  expect((await shop.typed(`show ${id}`)).out).toMatch(/user: given up after 2 tries.*\n {2}created a is too much/);

  const failed = await shop.typed(`replay ${id}`);
  expect(failed).toMatchObject({ status: 1 });
  expect(failed.out).toMatch(/^user: .*could not be handled again: created a is too much/);
  bad.clear();
  expect(await shop.typed(`replay ${id}`)).toMatchObject({ status: 0, out: "user: handled\n" });
  expect(await shop.seen()).toEqual(["created a"]);
  const again = await shop.typed(`replay ${id}`);
  expect(again.status).toBe(1);
  expect(again.out).toBe(
    `There is no event ${id} among what user could not take in: it was handled there, or given up, or never came.\n`,
  );
});

test("skip gives an event up for good", async () => {
  await using shop = await openShop(new Set(["created a"]));
  await shop.publish("a");
  await eventually("it is dead", async () => (await listed(shop, "--dead")).length === 1);
  const [{ event }] = await listed(shop, "--dead");
  expect(await shop.typed(`skip ${event.id} user`)).toMatchObject({ status: 0, out: "user: given up\n" });
  expect(await listed(shop, "--dead")).toEqual([]);
  expect(await shop.seen()).toEqual([]);
});

test("status tells how the logs stand, how far who is, and ends with 1 when there are dead letters", async () => {
  const bad = new Set(["created b"]);
  await using shop = await openShop(bad);
  await shop.publish("a");
  const well = await eventually("it is read", async () => {
    const { status, out } = await shop.typed("status");
    return / user +order +stream +1 +0 +0 +0 +yes\n/.test(out) && { status, out };
  });
  expect(well.status).toBe(0);
  expect(well.out).toMatch(/ order +stream +1 +0 +1000000 +-\n/);
  await shop.publish("b");
  const ill = await eventually("it is dead", async () => {
    const { status, out } = await shop.typed("status");
    return / user +order +stream +2 +0 +0 +1 +yes\n/.test(out) && { status, out };
  });
  expect(ill.status).toBe(1);
  expect(ill.out).toContain("Dead letters: heddle events list --dead");
  const { services } = JSON.parse((await shop.typed("status --json")).out);
  expect(services).toMatchObject([{ service: "order", log: { endPosition: "2" } }, { service: "user" }]);
});

test("rebuild makes a view anew", async () => {
  await using shop = await openShop();
  for (const id of ["a", "b"]) await shop.publish(id);
  await eventually("all are taken in", async () => (await shop.seen()).length === 2);
  const { status, out } = await shop.typed("rebuild user order");
  expect(status).toBe(0);
  expect(out).toMatch(/^user has emptied what it made of the events of order, .* position 2\./);
  await eventually("all are taken in anew", async () => (await shop.seen()).length === 2);
  expect(await shop.typed("rebuild user weather")).toMatchObject({ status: 1 });
  expect(await shop.typed("rebuild order user")).toMatchObject({
    status: 2,
    err: expect.stringContaining("follows nobody"),
  });
});

test("resend without a broker is refused with the reason", async () => {
  await using shop = await openShop();
  const { status, out } = await shop.typed("resend order --from 1");
  expect(status).toBe(1);
  expect(out).toMatch(/order has no broker to send events to/);
  expect(await shop.typed("resend order")).toMatchObject({ status: 2, err: expect.stringContaining("needs --from") });
});

test("what changes something shows a token, and one without the scope does not do", async () => {
  await using shop = await openShop();
  const refused = await shop.typed("rebuild user order", { HEDDLE_TOKEN: "nonsense" });
  expect(refused.status).toBe(1);
  const foreign = await shop.typed("rebuild user order", { AUTH_JWKS: "https://issuer.example/jwks" });
  expect(foreign).toMatchObject({
    status: 2,
    err: expect.stringContaining("set HEDDLE_TOKEN to a bearer token with the scope events:write"),
  });
});

test("a service that cannot be asked is named, and the others answer", async () => {
  await using shop = await openShop();
  await shop.publish("a");
  await eventually("it is taken in", async () => (await shop.seen()).length === 1);
  await shop.order.drain();
  const { status, out } = await shop.typed("status");
  expect(status).toBe(1);
  expect(out).toMatch(/ user +order +stream +1 /);
  expect(out).toMatch(/order could not be asked: /);
});

test("without discovery it says so", async () => {
  await using shop = await openShop();
  const { status, out } = await shop.typed("status", { HEDDLE_DISCOVERY: `127.0.0.1:${await freePort()}` });
  expect(status).toBe(1);
  expect(out).toMatch(/^Nobody can be asked, for discovery does not answer at 127/);
});

test.each([
  ["", /needs to know what: list, show, replay/],
  ["lst", /does not know "lst": did you mean list\?/],
  ["show", /ID is missing: heddle events show ID/],
  ["replay a b c", /"c" is too much: heddle events replay ID \[SERVICE\]/],
  ["skip a --dead", /heddle events skip takes no --dead/],
  ["list --dead --unpublished", /ask for one of them/],
  ["list usr", /no service "usr" has to do with events: did you mean user\?/],
])("what is misunderstood is told: %s", async (line, told) => {
  await using shop = await openShop();
  const { status, err } = await shop.typed(line);
  expect(status).toBe(2);
  expect(err).toMatch(told);
});
