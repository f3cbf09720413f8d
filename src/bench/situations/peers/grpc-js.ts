import { type ClientUnaryCall, credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import { serviceConfigFor } from "../../../interop/service-config.ts";
import { serviceDefinitionOf } from "../../../interop/service-definition.ts";
import { timeoutMs } from "../contract.ts";
import { type OpenPeer, question } from "./peer.ts";

type Answered = (error: Error | null) => void;
type Method = (request: object, options: { readonly deadline: number }, answered: Answered) => ClientUnaryCall;

/** An endpoint of which two fifths of 20 calls fail is left alone, looked at each second: its defaults want 50 calls at five endpoints in 10 s. */
const outliers = {
  interval: { seconds: 1, nanos: 0 },
  max_ejection_percent: 34,
  failure_percentage_ejection: { threshold: 40, minimum_hosts: 3, request_volume: 20 },
  child_policy: [{ round_robin: {} }],
};

/** Round robin with outlier detection, the contract's deadlines and repeats, and gRPC's own throttling of these. */
export const open: OpenPeer = async (service, addresses) => {
  const Client = makeGenericClientConstructor(serviceDefinitionOf(service), service.typeName);
  const config = { ...serviceConfigFor(service), loadBalancingConfig: [{ outlier_detection: outliers }] };
  const client = new Client(`ipv4:${addresses.join(",")}`, credentials.createInsecure(), {
    "grpc.service_config": JSON.stringify(config),
  });
  return (name, signal) =>
    new Promise((resolve, reject) => {
      const method = client[name] as Method;
      const leave = () => call.cancel();
      const call = method.call(client, question, { deadline: Date.now() + timeoutMs }, (error) => {
        signal?.removeEventListener("abort", leave);
        if (error === null) resolve(undefined);
        else reject(error);
      });
      signal?.addEventListener("abort", leave, { once: true });
    });
};
