/** A server made with grpc-js, as a process of its own: `grpc-js-replica PLAN`. It computes, and takes what comes. */
import { Server, ServerCredentials, type UntypedHandleCall } from "@grpc/grpc-js";
import { serviceDefinitionOf } from "../../interop/service-definition.ts";
import { answerParent } from "../answer-parent.ts";
import { stages } from "./contract.ts";
import { compute } from "./replica-handlers.ts";
import type { ReplicaPlan } from "./replica-plan.ts";

const { stage, mood } = JSON.parse(process.argv[2] ?? "") as ReplicaPlan;
if (!("turns" in mood)) throw new Error("it can only compute");
const { turns } = mood;
const answer = ((_call: unknown, answered: (error: null, note: { text: string }) => void) => {
  compute(turns);
  answered(null, { text: "well" });
}) as UntypedHandleCall;
const service = serviceDefinitionOf(stages[stage]);
const server = new Server();
server.addService(service, Object.fromEntries(Object.keys(service).map((name) => [name, answer])));
const port = await new Promise<number>((resolve, reject) => {
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
});
answerParent({ ready: { address: `127.0.0.1:${port}` } });
