import type { Interceptor, Transport } from "@connectrpc/connect";
import type { Random } from "../base/random.ts";
import { callTransport, type Perform } from "../wire/grpc/call-transport.ts";
import { type AttemptsOptions, attempting } from "./attempts.ts";
import type { Credentials } from "./credentials.ts";
import { credentials } from "./steps/credentials.ts";
import { deadline } from "./steps/deadline.ts";
import { inherit } from "./steps/inherit.ts";
import { observe } from "./steps/observe.ts";
import { nameRequest } from "./steps/request-id.ts";
import { chain } from "./steps/step.ts";
import { validate } from "./steps/validate.ts";

/** What the way out is made of. */
export interface MeshTransportOptions extends AttemptsOptions {
  readonly random: Random;
  /** What calls prove themselves with. By default with nothing. */
  readonly credentials?: Credentials;
  /** The application's own, outside of all steps. */
  readonly interceptors: readonly Interceptor[];
}

/** A Connect transport that finds its endpoints by the service of the method: no address anywhere. */
export function meshTransport(options: MeshTransportOptions): Transport {
  const { interceptors } = options;
  return callTransport({ perform: meshPerform(options), interceptors, baseUrl: "http://mesh" });
}

/** What it does with a call, inside of the application's interceptors. */
export function meshPerform(options: Omit<MeshTransportOptions, "interceptors">): Perform {
  const { deadlines, hooks, clock, random } = options;
  const proof = options.credentials === undefined ? [] : [credentials(options.credentials)];
  // The way out, top to bottom: once per call; then as often as it is sent.
  const asked = [observe(hooks, clock), nameRequest(random), validate()];
  const steps = [...asked, deadline(clock, deadlines), ...proof, inherit(random)];
  return chain(steps, attempting(options));
}
