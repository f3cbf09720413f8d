import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type GetOrderResponse, GetOrderResponseSchema, OrderStatus } from "../../gen/shop/order/v1/order_pb.ts";

/** The order that every peer answers with: about 200 bytes on the wire. */
export function sampleOrder(): GetOrderResponse {
  const price = { currencyCode: "EUR", units: 9n, nanos: 990_000_000 };
  const at = timestampFromMs(Date.UTC(2026, 0, 1));
  return create(GetOrderResponseSchema, {
    order: {
      id: "01984f2e-7c1a-7d3b-9a4e-2f6b8c0d1e2f",
      userId: 42n,
      items: ["ABC", "DEF", "GHI"].map((sku) => ({ sku, qty: 2, price })),
      status: OrderStatus.PENDING,
      total: { currencyCode: "EUR", units: 59n, nanos: 940_000_000 },
      createdAt: at,
      updatedAt: at,
      version: 1,
    },
  });
}

/** The id that every client asks for. */
export const sampleId = "01984f2e-7c1a-7d3b-9a4e-2f6b8c0d1e2f";
