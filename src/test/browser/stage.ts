import type { Client } from "@connectrpc/connect";
import type { Browser } from "playwright-core";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { listInstances } from "../../cli/instances.ts";
import { type Cluster, openCluster } from "../../testing/open-cluster.ts";
import { openBrowser } from "./open-browser.ts";
import { openPageServer } from "./page-server.ts";
import { ShopPage } from "./shop-page.ts";

/** Which page, of which server, over which protocol. */
export interface VisitOptions {
  readonly protocol?: "connect" | "grpc-web";
  /** Default: the origin that the gateway allows. */
  readonly origin?: string;
}

/** The real programs, a server for the page, and a browser to look at it with. */
export interface Stage extends AsyncDisposable {
  readonly cluster: Cluster;
  /** Where the gateway is: "http://127.0.0.1:…". */
  readonly gateway: string;
  /** The only origin whose pages may call the gateway. */
  readonly pageOrigin: string;
  /** Orders as another program sees them, straight at the service. */
  readonly orders: Client<typeof OrderService>;
  /** Opens the page for somebody new: nothing is left in the browser from earlier visits. */
  visit(options?: VisitOptions): Promise<ShopPage>;
  /** What a program's page of metrics says. */
  metrics(part: "order" | "gateway"): Promise<string>;
}

/** Starts all of it. The gateway allows one origin by name, as a gateway in production does. */
export async function openStage(): Promise<Stage> {
  await using started = new AsyncDisposableStack();
  const browser: Browser = started.adopt(await openBrowser(), (open) => open.close());
  const pages = started.use(await openPageServer());
  const cluster = started.use(
    await openCluster({
      replicas: { user: 1, catalog: 1, order: 1, gateway: 1 },
      envOf: { catalog: { SEED: "true" }, gateway: { CORS_ORIGINS: pages.origin } },
      onFailure: () => undefined, // a test that fails shows the logs by itself
    }),
  );
  const mesh = started.use(await cluster.openMesh());
  const gateway = `http://${cluster.replica("gateway").address}`;
  const running = started.move();
  return {
    cluster,
    gateway,
    pageOrigin: pages.origin,
    orders: mesh.client(OrderService),
    async visit({ protocol = "connect", origin = pages.origin } = {}) {
      const context = await browser.newContext({ viewport: { width: 1_180, height: 1_000 }, serviceWorkers: "block" });
      context.setDefaultTimeout(20_000);
      return ShopPage.open(context, `${origin}/?${new URLSearchParams({ gateway, protocol })}`);
    },
    async metrics(part) {
      const instances = await listInstances(cluster.discoveryAddress);
      const own = instances.find(({ address }) => address === cluster.replica(part).address);
      if (own?.admin === undefined) throw new Error(`${part} told discovery of no pages for machines`);
      return (await fetch(`http://${own.admin}/metrics`)).text();
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
