/** A peer's client, as a process of its own: `client KIND PORTS INTERCEPTORS`. Told a load, it makes the calls. */
import { answerParent } from "./answer-parent.ts";
import { type Addresses, type Call, type Load, runLoad } from "./load.ts";

type Open = (addresses: Addresses, interceptors: number) => Promise<Call>;

const kinds: Readonly<Record<string, () => Promise<{ open: Open }>>> = {
  heddle: () => import("./clients/heddle.ts"),
  "heddle, all on": () => import("./clients/heddle-full.ts"),
  wire: () => import("./clients/wire.ts"),
  "wire + Connect": async () => ({ open: (await import("./clients/wire.ts")).openConnect }),
  "wire + steps": async () => ({ open: (await import("./clients/wire.ts")).openSteps }),
  "node:http2": () => import("./clients/node-http2.ts"),
  "grpc-js": () => import("./clients/grpc-js.ts"),
  "nice-grpc": () => import("./clients/nice-grpc.ts"),
  "connect-node": () => import("./clients/connect-node.ts"),
};

const [kind = "", ports = "", interceptors = "0"] = process.argv.slice(2);
const load = kinds[kind];
if (load === undefined) throw new Error(`which client? one of ${Object.keys(kinds).join(", ")}`);
const { open } = await load();
const [first = "", ...rest] = ports.split(",").map((port) => `127.0.0.1:${port}`);
const call = await open([first, ...rest], Number(interceptors));
answerParent({ ready: {}, onMessage: (load) => runLoad(call, load as Load) });
