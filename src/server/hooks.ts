import type { DescMethod } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";

/** A served call that has ended. */
export interface ServedCall {
  readonly method: DescMethod;
  /** `undefined` for success. */
  readonly code: Code | undefined;
  readonly durationMs: number;
  /** What was thrown that is no ConnectError: a mistake in the handler, of which the caller is told nothing. */
  readonly bug?: unknown;
  /** Of a mistake, the trace in which it happened. */
  readonly traceId?: string | undefined;
  /** Of a mistake, the id of the request, where somebody has given it one. */
  readonly requestId?: string | undefined;
  /** Whether the server refused it because it is overloaded itself. */
  readonly shed?: boolean;
  /** Whether it was refused because its caller calls more often than the contract lets it. */
  readonly rateLimited?: boolean;
}

/** What a server tells whoever watches it. Called on the path of a call: they have to be quick and must not throw. */
export interface ServerHooks {
  callStarted?(method: DescMethod): void;
  callEnded?(call: ServedCall): void;
}

/** Hooks that tell each of several, in their order. */
export function allHooks(...each: readonly ServerHooks[]): ServerHooks {
  return {
    callStarted(method) {
      for (const hooks of each) hooks.callStarted?.(method);
    },
    callEnded(call) {
      for (const hooks of each) hooks.callEnded?.(call);
    },
  };
}
