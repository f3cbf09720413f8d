/** A peer's client, as a process of its own: `node clients.ts KIND PORTS`. Told a load, it makes the calls. */
import { connect } from "node:http2";
import { create } from "@bufbuild/protobuf";
import { createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import { createChannel, createClientFactory, type ServiceDefinition } from "nice-grpc";
import { deadlineMiddleware } from "nice-grpc-client-middleware-deadline";
import { retryMiddleware } from "nice-grpc-client-middleware-retry";
import { GetOrderRequestSchema, OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { serviceDefinitionOf } from "../interop/grpc-js.ts";
import { niceCallOptionsOf, niceDefinitionOf } from "../interop/nice-grpc.ts";
import { openMesh } from "../mesh/mesh.ts";
import { staticResolver } from "../mesh/resolve/static.ts";
import { answerParent } from "./child.ts";
import { type Load, runLoad } from "./load.ts";
import { asks, sampleId } from "./sample.ts";

type Call = () => Promise<unknown>;

const passThrough: Interceptor = (next) => (req) => next(req);
const passThroughs = (length: number) => Array.from({ length }, () => passThrough);

/** Where the constant server answers. */
type Addresses = readonly [string, ...string[]];

const kinds: Readonly<Record<string, (addresses: Addresses, interceptors: number) => Promise<Call>>> = {
  /** With deadline, validation, budgeted retry, pick among three endpoints, breaker. */
  async heddle(addresses, count) {
    const resolver = staticResolver({ [OrderService.typeName]: addresses });
    const orders = (await openMesh({ resolver, interceptors: passThroughs(count) })).client(OrderService);
    return () => orders.getOrder({ id: sampleId });
  },
  /** With a timeout, and three interceptors that do nothing where Heddle has its steps. */
  async "connect-node"([address]) {
    const options = { baseUrl: `http://${address}`, interceptors: passThroughs(3), defaultTimeoutMs: 1_000 };
    const orders = createClient(OrderService, createGrpcTransport(options));
    return () => orders.getOrder({ id: sampleId });
  },
  /** With nothing on. */
  async "grpc-js"([address]) {
    const Client = makeGenericClientConstructor(serviceDefinitionOf(OrderService), OrderService.typeName);
    const client = new Client(address, credentials.createInsecure());
    return () =>
      new Promise((resolve, reject) => {
        const request = create(GetOrderRequestSchema, { id: sampleId });
        client.getOrder?.(request, (error: Error | null, answer: unknown) => (error ? reject(error) : resolve(answer)));
      });
  },
  /** With its own retry and deadline middlewares. */
  async "nice-grpc"([address]) {
    const factory = createClientFactory().use(retryMiddleware).use(deadlineMiddleware);
    const options = niceCallOptionsOf(OrderService);
    const definition = niceDefinitionOf(OrderService) as ServiceDefinition;
    const orders = factory.create(definition, createChannel(address), options) as unknown as Record<string, AskOrder>;
    return () => (orders.getOrder as AskOrder)({ id: sampleId });
  },
  /** What any client over `node:http2` pays at least: constant bytes out, nothing decoded. */
  async "node:http2"([address]) {
    const session = connect(`http://${address}`);
    const { path, frame } = asks.unary();
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc+proto", te: "trailers" };
    return () =>
      new Promise((resolve, reject) => {
        const stream = session.request(headers);
        stream.once("error", reject).once("close", resolve).resume();
        stream.end(frame);
      });
  },
};

type AskOrder = (request: { id: string }) => Promise<unknown>;

const [kind = "", ports = "", interceptors = "0"] = process.argv.slice(2);
const open = kinds[kind];
if (open === undefined) throw new Error(`which client? one of ${Object.keys(kinds).join(", ")}`);
const addresses = ports.split(",").map((port) => `127.0.0.1:${port}`) as [string, ...string[]];
const call = await open(addresses, Number(interceptors));
answerParent({ ready: {}, onMessage: (load) => runLoad(call, load as Load) });
