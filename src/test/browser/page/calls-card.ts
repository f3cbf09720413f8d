import { byId, make } from "./dom.ts";
import type { CallRecord } from "./shop.ts";

/** How many calls stay in view. */
const kept = 8;

const protocolText: Readonly<Record<string, string>> = { connect: "Connect", "grpc-web": "gRPC-Web", rest: "REST" };

/** Adds a call to the list of the last ones, newest first. */
export function showCall({ protocol, method, outcome, durationMs }: CallRecord): void {
  const calls = byId("calls");
  const good = /^(ok|stream|2\d\d)$/.test(outcome);
  calls.prepend(
    make(
      "tr",
      {},
      make("td", {}, make("span", { class: `wire ${protocol}` }, protocolText[protocol] ?? protocol)),
      make("td", { class: "method" }, method),
      make("td", { class: good ? "good" : "bad" }, outcome),
      make("td", { class: "number" }, `${durationMs.toFixed(0)} ms`),
    ),
  );
  if (calls.childElementCount > kept) calls.lastElementChild?.remove();
}
