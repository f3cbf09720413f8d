import type { DescMethod } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import type { FaultKind } from "./faults/happening.ts";
import type { Endpoint } from "./resolve/resolver.ts";

/** An attempt that has ended. */
export interface EndedAttempt {
  readonly method: DescMethod;
  /** Counted from 1. */
  readonly attempt: number;
  readonly endpoint: Endpoint;
  /** `undefined` for success. */
  readonly code: Code | undefined;
  readonly durationMs: number;
  /** What was done to it on purpose; `undefined` for nothing. */
  readonly fault?: FaultKind | undefined;
}

/** A call that has ended. */
export interface EndedCall {
  readonly method: DescMethod;
  readonly code: Code | undefined;
  readonly durationMs: number;
}

/** What a mesh tells whoever watches it. Called on the path of a call: they have to be quick and must not throw. */
export interface MeshHooks {
  callStarted?(method: DescMethod): void;
  attemptEnded?(attempt: EndedAttempt): void;
  callEnded?(call: EndedCall): void;
}
