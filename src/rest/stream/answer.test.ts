import { Code, ConnectError, createRouterTransport, type HandlerContext } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OrderService, OrderStatus, type WatchOrderRequest } from "../../../gen/shop/order/v1/order_pb.ts";
import { notFound } from "../../call/errors.ts";
import { type RestCall, readAnswer, restRequest } from "../../testing/rest-caller.ts";
import { transcoder } from "../transcoder.ts";

/** Set when the service's side of a watch has ended, however it did. */
let ended: PromiseWithResolvers<string>;

async function* watchOrder({ id }: WatchOrderRequest, context: HandlerContext) {
  ended = Promise.withResolvers();
  context.signal.addEventListener("abort", () => ended.resolve("aborted"));
  context.responseHeader.set("x-served-by", "order-1");
  if (id === "none") return;
  if (id === "unknown") throw notFound("order", id, "shop.order.v1");
  yield { order: { id, status: OrderStatus.PENDING } };
  if (id === "broken") throw new ConnectError("the order is lost", Code.DataLoss);
  if (id === "bug") throw new TypeError("hunter2");
  if (id === "endless") await new Promise((_, reject) => context.signal.addEventListener("abort", reject));
  yield { order: { id, status: OrderStatus.CANCELLED } };
}

const transport = createRouterTransport((router) => router.service(OrderService, { watchOrder }));
const rest = transcoder({ services: [OrderService], transport });

async function watch(path: string, call: RestCall = {}, method = "GET") {
  const answer = await rest(restRequest(method, path, call));
  if (answer === undefined) throw new Error(`no route for ${path}`);
  return answer;
}

test("a stream is one line of JSON per message, in the style of its path", async () => {
  const answer = await readAnswer(await watch("/v1/orders/o-1:watch"));
  expect(answer.status).toBe(200);
  expect(answer.header.get("content-type")).toBe("application/x-ndjson");
  expect(answer.header.get("x-served-by")).toBe("order-1");
  const lines = answer.text.split("\n");
  expect(lines.pop()).toBe("");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { order: { id: "o-1", status: "ORDER_STATUS_PENDING" } },
    { order: { id: "o-1", status: "ORDER_STATUS_CANCELLED" } },
  ]);
  const plain = await readAnswer(await watch("/api/orders/o-1:watch"));
  expect(JSON.parse(plain.text.split("\n")[0] ?? "")).toMatchObject({
    order: { status: "pending", cancel_reason: "" },
  });
});

test("a stream without messages is an empty answer", async () => {
  expect(await readAnswer(await watch("/v1/orders/none:watch"))).toMatchObject({ status: 200, text: "" });
});

test("an error before the first message is an ordinary error answer", async () => {
  const answer = await readAnswer(await watch("/v1/orders/unknown:watch"));
  expect(answer.status).toBe(404);
  expect(answer.header.get("content-type")).toBe("application/json");
  expect(answer.json).toMatchObject({ code: 5, details: [{ reason: "ORDER_NOT_FOUND" }] });
});

test("an error after the first message is the last line, without internals", async () => {
  const lastLine = async (id: string) => {
    const answer = await readAnswer(await watch(`/v1/orders/${id}:watch`));
    expect(answer.status).toBe(200);
    return JSON.parse(answer.text.trim().split("\n")[1] ?? "");
  };
  expect(await lastLine("broken")).toEqual({ error: { code: 15, message: "the order is lost", details: [] } });
  expect(await lastLine("bug")).toEqual({ error: { code: 13, message: "internal error", details: [] } });
});

test("a caller that goes away ends the call, and gets no line about it", async () => {
  const gone = new AbortController();
  const { body } = await watch("/v1/orders/endless:watch", { signal: gone.signal });
  const lines: string[] = [];
  for await (const bytes of body ?? []) {
    lines.push(Buffer.from(bytes).toString());
    gone.abort();
  }
  expect(lines).toHaveLength(1);
  expect(await ended.promise).toBe("aborted");
});

test("a server that stops reading the answer ends the call", async () => {
  const { body } = await watch("/v1/orders/endless:watch");
  for await (const _ of body ?? []) break;
  expect(await ended.promise).toBe("aborted");
});

test("HEAD of a stream has its headers, and leaves no call behind", async () => {
  const answer = await watch("/v1/orders/endless:watch", {}, "HEAD");
  expect(answer.status).toBe(200);
  expect(answer.body).toBeUndefined();
  expect(await ended.promise).toBe("aborted");
});
