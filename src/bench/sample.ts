import {
  create,
  createFileRegistry,
  type DescMessage,
  type DescService,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  BytesValueSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_wrappers,
  timestampFromMs,
} from "@bufbuild/protobuf/wkt";
import {
  GetOrderRequestSchema,
  type GetOrderResponse,
  GetOrderResponseSchema,
  type Order,
  OrderService,
  OrderStatus,
  WatchOrderRequestSchema,
  type WatchOrderResponse,
  WatchOrderResponseSchema,
} from "../../gen/shop/order/v1/order_pb.ts";

/** The id that every client asks for. */
export const sampleId = "01984f2e-7c1a-7d3b-9a4e-2f6b8c0d1e2f";

/** Messages of one stream. */
export const streamLength = 10_000;

/** What every peer answers with: about 200 bytes on the wire. */
export const sample: GetOrderResponse & { readonly order: Order } = sampleAnswer();

/** The same as one message of a stream. */
export const sampleUpdate: WatchOrderResponse = create(WatchOrderResponseSchema, { order: sample.order });

/** Answers a BytesValue with itself. A contract made on the spot, since no service of ours carries so much at once. */
export const EchoService: DescService = echoService();

/** What a caller sends, over and over: the path, and the message as gRPC frames it. */
export interface Asked {
  readonly path: string;
  readonly frame: Buffer;
  /** How many bytes of body have to come back. */
  readonly answerBytes: number;
}

/** The calls that servers are measured by. */
export const asks = {
  unary: () => ask(OrderService, "GetOrder", framed(GetOrderRequestSchema, { id: sampleId }), answerFrame().length),
  stream: () =>
    ask(
      OrderService,
      "WatchOrder",
      framed(WatchOrderRequestSchema, { id: sampleId }),
      updateFrame().length * streamLength,
    ),
  echo: () => {
    const frame = framed(BytesValueSchema, { value: Buffer.alloc(2 ** 20, "heddle") });
    return ask(EchoService, "Echo", frame, frame.length);
  },
} as const satisfies Record<string, () => Asked>;

/** Which of them. */
export type AskName = keyof typeof asks;

/** The requests that gateways are measured by: an order is read, or made of three items. */
export const restAsks = {
  get: { line: `GET /v1/orders/${sampleId}` },
  post: {
    line: "POST /v1/orders",
    body: JSON.stringify({ userId: "42", items: ["ABC", "DEF", "GHI"].map((sku) => ({ sku, qty: 2 })) }),
  },
} as const;

/** Which of those. */
export type RestAskName = keyof typeof restAsks;

/** The sample as gRPC frames it. */
export const answerFrame = (): Buffer => framed(GetOrderResponseSchema, sample);

/** The same as one message of a stream. */
export const updateFrame = (): Buffer => framed(WatchOrderResponseSchema, sampleUpdate);

function ask(service: DescService, method: string, frame: Buffer, answerBytes: number): Asked {
  return { path: `/${service.typeName}/${method}`, frame, answerBytes };
}

/** Five bytes of prefix, then the message. */
function framed(schema: DescMessage, init: MessageInitShape<DescMessage>): Buffer {
  const message = toBinary(schema, create(schema, init));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function sampleAnswer() {
  const price = { currencyCode: "EUR", units: 9n, nanos: 990_000_000 };
  const at = timestampFromMs(Date.UTC(2026, 0, 1));
  const order = {
    id: sampleId,
    userId: 42n,
    items: ["ABC", "DEF", "GHI"].map((sku) => ({ sku, qty: 2, price })),
    status: OrderStatus.PENDING,
    total: { currencyCode: "EUR", units: 59n, nanos: 940_000_000 },
    createdAt: at,
    updatedAt: at,
    version: 1,
  };
  return create(GetOrderResponseSchema, { order }) as GetOrderResponse & { order: Order };
}

function echoService(): DescService {
  const { name: wrappers = "" } = file_google_protobuf_wrappers.proto;
  const type = `.${BytesValueSchema.typeName}`;
  const file = create(FileDescriptorProtoSchema, {
    name: "bench/v1/echo.proto",
    package: "bench.v1",
    syntax: "proto3",
    dependency: [wrappers],
    service: [{ name: "EchoService", method: [{ name: "Echo", inputType: type, outputType: type }] }],
  });
  const service = createFileRegistry(file, () => file_google_protobuf_wrappers.proto).getService(
    "bench.v1.EchoService",
  );
  if (service === undefined) throw new Error("the echo's contract has lost its service");
  return service;
}
