import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { methodName } from "../call/method.ts";
import { methodPolicy } from "../call/policy.ts";
import { maxTimeoutMs } from "../call/policy-defaults.ts";
import type { ServedCall } from "../call/served-call.ts";
import type { Rpc, Rpcs } from "../wire/grpc/rpc.ts";
import { intercepted } from "./intercepted.ts";
import type { ServiceEntry } from "./serve.ts";
import { pass, type WayIn } from "./steps/step.ts";
import { longestMs } from "./time-limit.ts";

/** What every RPC of a server has in common. */
export interface RpcOptions {
  readonly steps: WayIn;
  /** The application's own, inside of all steps. */
  readonly interceptors: readonly Interceptor[];
  readonly maxRequestBytes: number;
}

/** A method's implementation, as `ServiceImpl` has it. */
export type Handle = (request: unknown, context: HandlerContext) => unknown;

/** The services' RPCs, for a wire that answers gRPC itself. One without an implementation is UNIMPLEMENTED. */
export function rpcsOf(entries: readonly ServiceEntry[], options: RpcOptions): Rpcs {
  const rpcs = entries.flatMap(([service, implementation]) =>
    service.methods.map((method) => [`/${methodName(method)}`, rpcOf(method, implementation, options)] as const),
  );
  return new Map(rpcs);
}

function rpcOf(method: DescMethod, implementation: object, { steps, interceptors, maxRequestBytes }: RpcOptions): Rpc {
  const { door, inside } = steps;
  const handle = intercepted(method, handleOf(method, implementation), interceptors);
  return {
    method,
    timeoutMs: methodPolicy(method).timeoutMs,
    maxTimeoutMs: method.methodKind === "unary" ? maxTimeoutMs : longestMs,
    maxRequestBytes,
    admit(call: ServedCall) {
      for (let i = 0; i < door.length; i++) door[i]?.(call);
    },
    async answer(call: ServedCall) {
      const passing = pass(inside, call);
      if (passing !== undefined) await passing;
      if (call.aborted) throw call.reason; // while a step took its time
      return handle(call.message, call);
    },
  };
}

function handleOf(method: DescMethod, implementation: object): Handle {
  const handle = (implementation as Readonly<Record<string, Handle | undefined>>)[method.localName];
  if (handle !== undefined) return handle.bind(implementation);
  return () => {
    throw new ConnectError(`${methodName(method)} is not implemented`, Code.Unimplemented);
  };
}
