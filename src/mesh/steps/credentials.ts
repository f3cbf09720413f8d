import { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { unavailable } from "../../call/errors.ts";
import { fieldOf } from "../../call/fields.ts";
import { headers } from "../../call/headers.ts";
import type { OutgoingCall } from "../../call/outgoing-call.ts";
import { orAborted } from "../../call/stream.ts";
import type { Perform } from "../../wire/grpc/call-transport.ts";
import type { Credentials } from "../credentials.ts";
import type { Step } from "./step.ts";

/**
 * Shows a call's credentials to the services that are to see them, unless the call brings its own. Discovery never does:
 * it is asked on nobody's behalf.
 *
 * Inside of `deadline`, since a token may have to be asked for; outside of the attempts, which all show the same one.
 */
export function credentials(shown: Credentials): Step {
  return (next) => (call) => {
    if (!isShown(shown, call) || fieldOf(call.fields, headers.authorization) !== undefined) return next(call);
    const authorization = shown.authorization(call.method);
    if (authorization instanceof Promise) return withPromised(call, authorization, next);
    return next(withAuthorization(call, authorization));
  };
}

function isShown({ services }: Credentials, { method }: OutgoingCall): boolean {
  const { typeName } = method.parent;
  return services === undefined ? typeName !== DiscoveryService.typeName : services.has(typeName);
}

async function withPromised(call: OutgoingCall, authorization: Promise<string | undefined>, next: Perform) {
  let found: string | undefined;
  try {
    found = await orAborted(authorization, call.signal);
  } catch (reason) {
    if (call.aborted) throw reason;
    throw unavailable("the token for the call cannot be had", { reason: "CREDENTIALS_UNAVAILABLE", domain: "heddle" });
  }
  return next(withAuthorization(call, found));
}

function withAuthorization(call: OutgoingCall, authorization: string | undefined): OutgoingCall {
  if (authorization !== undefined) call.fields = [...call.fields, headers.authorization, authorization];
  return call;
}
