import { once } from "node:events";
import { connect } from "node:http2";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { BadRequestSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { openTestMesh } from "../testing/open-mesh.ts";
import { engines } from "./engines.ts";

const value = { fieldViolations: [{ field: "id", description: "is missing" }] };

const orders = {
  getOrder() {
    throw new ConnectError("no room", Code.ResourceExhausted, { "x-reason": "full" }, [
      { desc: BadRequestSchema, value },
    ]);
  },
  async *watchOrder() {
    yield { order: { id: "a" } };
    throw new ConnectError("broke off", Code.Internal);
  },
};

describe.each(Object.entries(engines))("over %s", (_, engine) => {
  test("a failure before the first message is one block of headers that ends the stream", async () => {
    await using mesh = await openTestMesh([[OrderService, orders]], { engine, server: { engine } });
    const answer = await headersOf(mesh.servers[0]?.address, "GetOrder");
    expect(answer.headers).toMatchObject({ ":status": 200, "grpc-status": "8", "grpc-message": "no%20room" });
    expect(answer.ended).toBe(true);
    expect(await mesh.servers[0]?.drain()).toBe(0); // and nothing is left under way
  });

  test("a method that nobody serves is answered so, too", async () => {
    await using mesh = await openTestMesh([[OrderService, orders]], { engine, server: { engine } });
    const answer = await headersOf(mesh.servers[0]?.address, "NoSuchMethod");
    expect(answer.headers).toMatchObject({ ":status": 200, "grpc-status": "12" });
    expect(answer.ended).toBe(true);
  });

  test("the failure arrives with its details and metadata", async () => {
    await using mesh = await openTestMesh([[OrderService, orders]], { engine, server: { engine } });
    const error = await mesh.client(OrderService).getOrder({ id: "a" }).catch(ConnectError.from);
    if (!(error instanceof ConnectError)) throw new Error("it did not fail");
    expect(error).toMatchObject({ code: Code.ResourceExhausted, rawMessage: "no room" });
    expect(error.metadata.get("x-reason")).toBe("full");
    expect(error.findDetails(BadRequestSchema)).toMatchObject([value]);
  });

  test("a failure whose handler has set headers keeps them apart from its trailers", async () => {
    const failing = {
      getOrder(_: unknown, { responseHeader }: HandlerContext) {
        responseHeader.set("x-begun", "yes");
        throw new ConnectError("no room", Code.ResourceExhausted);
      },
    };
    await using mesh = await openTestMesh([[OrderService, failing]], { engine, server: { engine } });
    const answer = await headersOf(mesh.servers[0]?.address, "GetOrder");
    expect(answer.headers).toMatchObject({ ":status": 200, "x-begun": "yes" });
    expect(answer.headers["grpc-status"]).toBeUndefined();
    expect(answer.ended).toBe(false);
  });

  test("a stream that breaks off after a message has a head, the message and trailers", async () => {
    await using mesh = await openTestMesh([[OrderService, orders]], { engine, server: { engine } });
    const answer = await headersOf(mesh.servers[0]?.address, "WatchOrder");
    expect(answer.headers["grpc-status"]).toBeUndefined();
    expect(answer.ended).toBe(false);
    const ids: (string | undefined)[] = [];
    const reading = (async () => {
      for await (const { order } of mesh.client(OrderService).watchOrder({ id: "a" })) ids.push(order?.id);
    })();
    await expect(reading).rejects.toMatchObject({ code: Code.Internal, rawMessage: "broke off" });
    expect(ids).toEqual(["a"]);
  });
});

/** The first block of headers that answers a gRPC request, and whether the answer ends with it. */
async function headersOf(address: string | undefined, method: string) {
  const session = connect(`http://${address}`);
  const path = `/${OrderService.typeName}/${method}`;
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.end(Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x61]));
  const [headers, flags] = await once(stream, "response");
  stream.resume();
  await once(stream, "close");
  session.close();
  const endStream = 0x1; // https://www.rfc-editor.org/rfc/rfc9113#section-6.2
  return { headers: headers as Record<string, unknown>, ended: (Number(flags) & endStream) !== 0 };
}
