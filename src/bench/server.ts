/** A peer's server, as a process of its own: `server KIND INTERCEPTORS`. It loads nothing of the other peers. */
import { answerParent } from "./answer-parent.ts";

type Open = (interceptors: number) => Promise<number>;

const kinds: Readonly<Record<string, () => Promise<{ open: Open }>>> = {
  heddle: () => import("./servers/heddle.ts"),
  "node:http2": () => import("./servers/node-http2.ts"),
  "grpc-js": () => import("./servers/grpc-js.ts"),
  "nice-grpc": () => import("./servers/nice-grpc.ts"),
  "connect-node": () => import("./servers/connect-node.ts"),
};

const [kind = "", interceptors = "0"] = process.argv.slice(2);
const load = kinds[kind];
if (load === undefined) throw new Error(`which server? one of ${Object.keys(kinds).join(", ")}`);
const { open } = await load();
answerParent({ ready: { port: await open(Number(interceptors)) } });
