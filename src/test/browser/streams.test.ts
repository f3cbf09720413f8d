import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openPageServer } from "./page-server.ts";
import type { ShopPage } from "./shop-page.ts";
import { openStage, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
beforeEach(({ onTestFailed }) => onTestFailed(() => void process.stderr.write(stage.cluster.logs())));
afterAll(() => stage?.[Symbol.asyncDispose]());

type Told = readonly [type: string, id: string, status: string | undefined];

/** What a page has seen of a stream: events by type, id and the status in them; and how it stands with the connection. */
interface Seen {
  readonly events: readonly Told[];
  readonly state: number;
  /** Of a WebSocket: what it was closed with. */
  readonly code?: number;
}

const closed = 2;
const confirmed = "ORDER_STATUS_CONFIRMED";
const cancelled = "ORDER_STATUS_CANCELLED";

test("EventSource follows an order, resumes where a cut connection left it, and stops when there is nothing more", async () => {
  await using shop = await stage.visit();
  await using line = await openLine(new URL(stage.gateway).host);
  const id = await shop.placeOrder("Ida");
  await follow(shop, `http://${line.address}/v1/orders/${id}:watch`);
  await sees(shop, { events: [["message", "2", confirmed]], state: 1 });

  line.cut();
  await sees(shop, { events: [["message", "2", confirmed]], state: 0 });
  line.mend();
  await sees(shop, { events: [["message", "2", confirmed]], state: 1 }); // and is not told again what it has seen
  line.cut();
  await stage.orders.cancelOrder({ id, reason: "while the line was cut" });
  line.mend();
  // Behind "end" the browser asks once more by itself, and 204 says that it is over.
  const all: readonly Told[] = [
    ["message", "2", confirmed],
    ["message", "3", cancelled],
    ["end", "3", undefined],
  ];
  await sees(shop, { events: all, state: closed });
  expect(shop.errors).toEqual([]);
});

test("EventSource of an order that does not exist gives up, without asking again", async () => {
  await using shop = await stage.visit();
  await follow(shop, `${stage.gateway}/v1/orders/nope:watch`);
  await sees(shop, { events: [], state: closed });
});

test("a page follows an order over a WebSocket", async () => {
  await using shop = await stage.visit();
  const id = await shop.placeOrder("Joe");
  await openSocket(shop, `${stage.gateway.replace("http", "ws")}/v1/orders/${id}:watch`);
  await sees(shop, { events: [["message", "2", confirmed]], state: 1 });
  await stage.orders.cancelOrder({ id });
  const events: readonly Told[] = [
    ["message", "2", confirmed],
    ["message", "3", cancelled],
  ];
  await sees(shop, { events, state: 3, code: 1000 });
});

test("a page learns over a WebSocket why a call failed, though its headers are beyond it", async () => {
  await using shop = await stage.visit();
  const url = `${stage.gateway.replace("http", "ws")}/shop.order.v1.OrderService/WatchOrder`;
  await openSocket(shop, url, { first: JSON.stringify({ id: "nope" }) });
  const events: readonly Told[] = [["error", "", "order nope does not exist"]];
  await sees(shop, { events, state: 3, code: 4005 });
});

test("a page whose token is none is told so over its WebSocket", async () => {
  await using shop = await stage.visit();
  await openSocket(shop, `${stage.gateway.replace("http", "ws")}/v1/orders/nope:watch`, { token: "of-no-use-here" });
  const told = { events: [["error", "", expect.stringContaining("no signed JWT")]], state: 3, code: 4016 };
  await sees(shop, told as unknown as Seen);
});

test("a page of an origin that is not allowed opens no WebSocket", async () => {
  await using elsewhere = await openPageServer();
  await using shop = await stage.visit({ origin: elsewhere.origin });
  await openSocket(shop, `${stage.gateway.replace("http", "ws")}/v1/orders/nope:watch`);
  await sees(shop, { events: [], state: 3, code: 1006 });
});

/** Follows with the browser's own EventSource, and never closes it. */
async function follow({ page }: ShopPage, url: string): Promise<void> {
  await page.evaluate((to) => {
    const events: unknown[] = [];
    const source = new EventSource(to);
    const note = (event: Event) => {
      const { type, lastEventId = "", data } = event as MessageEvent;
      if (data !== undefined) events.push([type, lastEventId, JSON.parse(data).order?.status]);
    };
    for (const type of ["message", "end", "error"]) source.addEventListener(type, note);
    Object.assign(globalThis, { seen: () => ({ events, state: source.readyState }) });
  }, url);
}

/** Opens a WebSocket with the token that pages hand over, says `first` if there is one, and listens. */
async function openSocket({ page }: ShopPage, url: string, { first = "", token = "" } = {}): Promise<void> {
  const shown = token || (await stage.cluster.bearer()).replace("Bearer ", "");
  await page.evaluate(
    ([to, say, bearer]) => {
      const events: unknown[] = [];
      let code: number | undefined;
      const socket = new WebSocket(to ?? "", ["heddle.json", `bearer.${bearer}`]);
      socket.onopen = () => say && socket.send(say);
      socket.onmessage = ({ data }) => {
        const { order, error } = JSON.parse(data);
        events.push(error ? ["error", "", error.message] : ["message", String(order.version), order.status]);
      };
      socket.onclose = (event) => {
        code = event.code;
      };
      Object.assign(globalThis, { seen: () => ({ events, state: socket.readyState, code }) });
    },
    [url, first, shown] as const,
  );
}

/** Waits until the page has seen this, and nothing else. */
async function sees({ page }: ShopPage, seen: Seen): Promise<void> {
  const look = () => page.evaluate(() => (globalThis as unknown as { seen(): Seen }).seen());
  await expect.poll(look, { timeout: 20_000 }).toEqual(seen);
}

/** A line to a port that can be cut, and mended again. */
async function openLine(to: string) {
  const [host = "", port] = to.split(":");
  const open = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connectTcp({ host, port: Number(port) });
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on("error", () => {}).once("close", () => [near, far].forEach((each) => void each.destroy()));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen({ host, port: 0 }, resolve));
  const cut = () => {
    isCut = true;
    for (const socket of open) socket.destroy();
    open.clear();
  };
  return {
    address: `${host}:${(server.address() as AddressInfo).port}`,
    cut,
    mend() {
      isCut = false;
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
