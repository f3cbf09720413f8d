/** A peer's client, as a process of its own: `node clients.ts KIND PORT`. Told `{ calls, inFlight }`, it makes them. */
import { connect } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import { GetOrderRequestSchema, OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { serviceDefinitionOf } from "../interop/grpc-js.ts";
import { openMesh } from "../mesh/mesh.ts";
import { staticResolver } from "../mesh/resolve/static.ts";
import { answerParent } from "./child.ts";
import { type Load, runLoad } from "./load.ts";
import { sampleId } from "./sample.ts";

type Call = () => Promise<unknown>;

const kinds: Readonly<Record<string, (port: number) => Promise<Call>>> = {
  /** With deadline, budgeted retry, pick, breaker and validation. */
  async heddle(port) {
    const resolver = staticResolver({ [OrderService.typeName]: [`127.0.0.1:${port}`] });
    const orders = (await openMesh({ resolver })).client(OrderService);
    return () => orders.getOrder({ id: sampleId });
  },
  async "connect-node"(port) {
    const orders = createClient(OrderService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
    return () => orders.getOrder({ id: sampleId });
  },
  async "grpc-js"(port) {
    const Client = makeGenericClientConstructor(serviceDefinitionOf(OrderService), OrderService.typeName);
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    const request = create(GetOrderRequestSchema, { id: sampleId });
    return () =>
      new Promise((resolve, reject) => {
        client.getOrder?.(request, (error: Error | null, answer: unknown) => (error ? reject(error) : resolve(answer)));
      });
  },
  /** What any client over `node:http2` pays at least: constant bytes out, nothing decoded. */
  async "node:http2"(port) {
    const session = connect(`http://127.0.0.1:${port}`);
    const message = toBinary(GetOrderRequestSchema, create(GetOrderRequestSchema, { id: sampleId }));
    const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
    const headers = {
      ":method": "POST",
      ":path": `/${OrderService.typeName}/GetOrder`,
      "content-type": "application/grpc+proto",
      te: "trailers",
    };
    return () =>
      new Promise((resolve, reject) => {
        const stream = session.request(headers);
        stream.once("error", reject).once("close", resolve).resume();
        stream.end(frame);
      });
  },
};

const [kind = "", port = ""] = process.argv.slice(2);
const open = kinds[kind];
if (open === undefined) throw new Error(`which client? one of ${Object.keys(kinds).join(", ")}`);
const call = await open(Number(port));
answerParent({ ready: {}, onMessage: (load) => runLoad(call, load as Load) });
