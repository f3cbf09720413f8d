import type { DescMethod } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";

/** A served call that has ended. */
export interface ServedCall {
  readonly method: DescMethod;
  /** `undefined` for success. */
  readonly code: Code | undefined;
  readonly durationMs: number;
}

/** What a server tells whoever watches it. Called on the path of a call: they have to be quick and must not throw. */
export interface ServerHooks {
  callStarted?(method: DescMethod): void;
  callEnded?(call: ServedCall): void;
}
