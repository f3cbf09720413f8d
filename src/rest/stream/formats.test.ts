import { Code, ConnectError, createRouterTransport, type HandlerContext } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OrderService, OrderStatus, type WatchOrderRequest } from "../../../gen/shop/order/v1/order_pb.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { type RestCall, readAnswer, restRequest } from "../../testing/rest-caller.ts";
import { transcoder } from "../transcoder.ts";

const clock = fakeClock();

/** Lets an endless watch go on by one message. */
let more = Promise.withResolvers<void>();

async function* watchOrder({ id, afterVersion }: WatchOrderRequest, { signal }: HandlerContext) {
  if (id === "away") throw new ConnectError("nobody is there", Code.Unavailable);
  if (id === "seldom") await Promise.race([more.promise, gone(signal)]);
  for (let version = afterVersion + 1; version <= 3; version++) {
    yield { order: { id, version, status: OrderStatus.PENDING } };
    if (id === "broken") throw new ConnectError("the order is lost", Code.DataLoss);
    if (id === "slow") await gone(signal);
  }
}

function gone(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

const transport = createRouterTransport((router) => router.service(OrderService, { watchOrder }));
const rest = transcoder({ services: [OrderService], transport, clock });

async function watch(id: string, accept: string, { header, ...call }: RestCall = {}, query = "") {
  const request = restRequest("GET", `/v1/orders/${id}:watch${query}`, { ...call, header: { accept, ...header } });
  const answer = await rest(request);
  if (answer === undefined) throw new Error(`no route for ${request.url}`);
  return answer;
}

const events = (id: string, lastEventId = "", query = "") =>
  watch(id, "text/event-stream", lastEventId === "" ? {} : { header: { "last-event-id": lastEventId } }, query);

/** The events of a text as a browser would see them: type, id and data. */
function parsed(text: string): (readonly [type: string, id: string | undefined, data: unknown])[] {
  const blocks = text.split("\n\n").filter((block) => block.includes("data: "));
  return blocks.map((block) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
    return [field("event") ?? "message", field("id"), JSON.parse(field("data") ?? "")] as const;
  });
}

test.each([
  ["*/*", "application/x-ndjson"],
  ["application/x-ndjson", "application/x-ndjson"],
  ["text/html, */*;q=0.8", "application/x-ndjson"],
  ["application/problem+json", "application/x-ndjson"],
  ["application/json", "application/json"],
  ["application/json, text/plain, */*", "application/json"],
  ["text/event-stream", "text/event-stream"],
  ["application/json;q=0.5, text/event-stream", "text/event-stream"],
  ["text/event-stream;q=0, application/json", "application/json"],
])("a stream for Accept: %s comes as %s", async (accept, type) => {
  const answer = await watch("o-1", accept);
  expect(answer.header?.get("content-type")).toBe(type);
  expect(answer.header?.get("vary")).toBe("Accept");
  expect(answer.header?.has("content-length")).toBe(false);
});

test("an array is valid JSON, and each element is written when it is there", async () => {
  const { text } = await readAnswer(await watch("o-1", "application/json"));
  expect(JSON.parse(text)).toMatchObject([1, 2, 3].map((version) => ({ order: { version } })));
  const gone = new AbortController();
  const { body } = await watch("slow", "application/json", { signal: gone.signal });
  const pieces: string[] = [];
  for await (const piece of body ?? []) {
    pieces.push(Buffer.from(piece).toString());
    gone.abort();
  }
  expect(pieces).toHaveLength(1);
  expect(JSON.parse(`${pieces[0]}]`)).toMatchObject([{ order: { version: 1 } }]);
});

test("an array without elements is empty, and one that fails ends with the error as its last element", async () => {
  const none = await watch("o-1", "application/json", {}, "?after_version=3");
  expect((await readAnswer(none)).json).toEqual([]);
  const { json } = await readAnswer(await watch("broken", "application/json"));
  expect(json).toMatchObject([
    { order: { version: 1 } },
    { error: { code: 15, message: "the order is lost", details: [] } },
  ]);
});

test("events carry the message as data, the contract's cursor as id, and say how they ended", async () => {
  const answer = await readAnswer(await events("o-1"));
  expect(answer.header.get("cache-control")).toBe("no-cache, no-transform");
  expect(answer.text).toMatch(/^retry: \d+\n\n/);
  expect(parsed(answer.text)).toMatchObject([
    ["message", "1", { order: { id: "o-1", version: 1 } }],
    ["message", "2", { order: { version: 2 } }],
    ["message", "3", { order: { version: 3 } }],
    ["end", undefined, {}],
  ]);
});

test("an error behind the first event is the last event, and no end follows it", async () => {
  const { text } = await readAnswer(await events("broken"));
  expect(parsed(text)).toMatchObject([
    ["message", "1", { order: { id: "broken" } }],
    ["error", undefined, { code: 15, message: "the order is lost", details: [] }],
  ]);
});

test("an error before the first event is an ordinary answer", async () => {
  expect(await readAnswer(await events("away"))).toMatchObject({ status: 503, json: { code: 14 } });
});

test("Last-Event-ID goes on behind the event of that id, whatever the query said at first", async () => {
  const ids = async (...about: [lastEventId: string, query?: string]) =>
    parsed((await readAnswer(await events("o-1", ...about))).text).map(([, id]) => id);
  expect(await ids("1")).toEqual(["2", "3", undefined]);
  expect(await ids("2", "?after_version=1")).toEqual(["3", undefined]);
  expect(await ids("", "?after_version=1")).toEqual(["2", "3", undefined]);
});

test.each(["one", "1.5", "99999999999", "1; 2"])("a Last-Event-ID %j is refused by name", async (id) => {
  const answer = await readAnswer(await events("o-1", id));
  expect(answer).toMatchObject({ status: 400, json: { code: 3 } });
  expect(answer.text).toContain("Last-Event-ID");
});

test("who asks again and has seen everything is answered 204, which ends a browser's asking", async () => {
  expect(await readAnswer(await events("o-1", "3"))).toMatchObject({ status: 204, text: "" });
});

test("who asks again while nobody is there is told so in the stream, for a browser would not ask a third time", async () => {
  const answer = await readAnswer(await events("away", "1"));
  expect(answer.status).toBe(200);
  expect(parsed(answer.text)).toMatchObject([["error", undefined, { code: 14, message: "nobody is there" }]]);
});

test("a stream of which nothing comes begins after a second, and shows every 15 s that it lives", async () => {
  more = Promise.withResolvers();
  const asked = events("seldom");
  await clock.advance(1_000);
  const answer = await asked;
  expect(answer.header?.get("content-type")).toBe("text/event-stream");
  const pieces = answer.body?.[Symbol.asyncIterator]();
  const next = async () => Buffer.from((await pieces?.next())?.value ?? "").toString();
  expect(await next()).toMatch(/^retry: /);
  for (let round = 0; round < 2; round++) {
    const piece = next();
    await clock.advance(15_000);
    expect(await piece).toBe(":\n\n");
  }
  more.resolve();
  expect(parsed(await next())).toMatchObject([["message", "1", {}]]);
  await pieces?.return?.();
  expect(clock.pending).toBe(0);
});

test("a reader of events that goes away while nothing comes ends the call, and leaves no timer behind", async () => {
  const away = new AbortController();
  const { body } = await watch("slow", "text/event-stream", { signal: away.signal });
  const pieces = body?.[Symbol.asyncIterator]();
  await pieces?.next();
  await pieces?.next();
  const third = pieces?.next();
  await clock.advance(1);
  away.abort();
  expect(await third).toEqual({ done: true, value: undefined });
  expect(clock.pending).toBe(0);
});
