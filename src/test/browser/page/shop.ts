import { type Client, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { CatalogService } from "../../../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../../gen/shop/user/v1/user_pb.ts";

/** How a browser can call: both work with every method the page uses. */
export type Protocol = "connect" | "grpc-web";

/** One call, as the page shows it. */
export interface CallRecord {
  readonly protocol: string;
  readonly method: string;
  /** How it ended, or that its stream is open. */
  readonly outcome: string;
  readonly durationMs: number;
}

/** Where the shop is, and how to talk to it. */
export interface ShopOptions {
  /** The gateway's origin: "http://127.0.0.1:8000". */
  readonly gateway: string;
  readonly protocol: Protocol;
  /** Is told of each call when its answer begins. */
  readonly onCall: (call: CallRecord) => void;
}

/** The three services of the shop, through the gateway. */
export interface Shop {
  readonly users: Client<typeof UserService>;
  readonly catalog: Client<typeof CatalogService>;
  readonly orders: Client<typeof OrderService>;
  /** Cancels an order by plain REST, as a page without any client library would. */
  cancelOrder(id: string, reason: string): Promise<void>;
}

/** Clients of the shop's services over one protocol. */
export function createShop(options: ShopOptions): Shop {
  const { gateway, protocol, onCall } = options;
  const create = protocol === "connect" ? createConnectTransport : createGrpcWebTransport;
  const transport = create({ baseUrl: gateway, interceptors: [timed(protocol, onCall)] });
  return {
    users: createClient(UserService, transport),
    catalog: createClient(CatalogService, transport),
    orders: createClient(OrderService, transport),
    cancelOrder: (id, reason) => cancelByRest(options, id, reason),
  };
}

function timed(protocol: Protocol, onCall: ShopOptions["onCall"]): Interceptor {
  return (next) => async (req) => {
    const startedAt = performance.now();
    const method = `${req.service.typeName.split(".").at(-1)}.${req.method.name}`;
    const tell = (outcome: string) => onCall({ protocol, method, outcome, durationMs: performance.now() - startedAt });
    try {
      const res = await next(req);
      tell(res.stream ? "stream" : "ok");
      return res;
    } catch (reason) {
      tell(Code[ConnectError.from(reason).code]);
      throw reason;
    }
  };
}

async function cancelByRest({ gateway, onCall }: ShopOptions, id: string, reason: string): Promise<void> {
  const startedAt = performance.now();
  const response = await fetch(`${gateway}/api/orders/${encodeURIComponent(id)}:cancel`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ reason }),
  });
  onCall({
    protocol: "rest",
    method: "POST /api/orders/{id}:cancel",
    outcome: String(response.status),
    durationMs: performance.now() - startedAt,
  });
  const answer = (await response.json()) as { readonly message?: string };
  if (!response.ok) throw new Error(answer.message ?? `the gateway answered ${response.status}`);
}
