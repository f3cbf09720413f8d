/** A gateway for `GET /v1/orders/{id}` and `POST /v1/orders`, as a process of its own: `gateway KIND UPSTREAM DISCOVERY`. */
import { answerParent } from "./answer-parent.ts";
import type { Behind } from "./gateways/behind.ts";

const kinds: Readonly<Record<string, () => Promise<{ open(behind: Behind): Promise<number> }>>> = {
  heddle: () => import("./gateways/heddle.ts"),
  "node:http": () => import("./gateways/node-http.ts"),
  "node:http + grpc-js": () => import("./gateways/grpc-js.ts"),
  "node:http + connect-node": () => import("./gateways/connect-node.ts"),
};

const [kind = "", upstream = "", discovery = ""] = process.argv.slice(2);
const load = kinds[kind];
if (load === undefined) throw new Error(`which gateway? one of ${Object.keys(kinds).join(", ")}`);
const { open } = await load();
answerParent({ ready: { port: await open({ upstream, discovery }) } });
