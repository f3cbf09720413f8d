import type { DescField, DescMethodUnary, DescService, JsonValue, Message } from "@bufbuild/protobuf";

/** One path that is answered with what several calls bring, as data: for the gateway that serves it, and for documentation. */
export interface Aggregate {
  /** As google.api.http writes it: "/v1/users/{id}/overview". */
  readonly path: string;
  /** What it answers, in a sentence; may be empty. */
  readonly description: string;
  /** For all calls together. `undefined`, the gateway's own default. */
  readonly timeoutMs: number | undefined;
  /** Parameters of the query string that it takes. */
  readonly query: readonly string[];
  /** Each after all that it needs. */
  readonly parts: readonly Part[];
}

/** One call of an aggregate, or one call for each of several values. */
export interface Part {
  /** In lower snake_case. */
  readonly name: string;
  /** The parts whose answers its request is made of. */
  readonly after: readonly string[];
  /** Without it there is no answer. */
  readonly required: boolean;
  /** How many calls there may be; `undefined` where it is always one. */
  readonly many: FanOut | undefined;
  /** What to call, as far as contracts are known by now. Throws an Error that says what is missing or does not fit. */
  resolve(known: KnownContracts): PartCall;
}

/** How far a part fans out. */
export interface FanOut {
  readonly maxCalls: number;
  readonly maxAtOnce: number;
}

/** What a part may ask when it looks for its method and for the fields that it reads. */
export interface KnownContracts {
  service(typeName: string): DescService | undefined;
  /** A part that stands before this one; `undefined` where that could not be resolved. */
  part(name: string): ResolvedPart | undefined;
}

/** A method with the way to its requests. */
export interface PartCall {
  readonly method: DescMethodUnary;
  /** The field of its answer that is shown; `undefined` for all of it. */
  readonly show: DescField | undefined;
  /** Makes the requests of what is there by now. One, unless the part fans out. */
  requests(given: Given): readonly Message[];
}

/** A part together with what it calls. */
export interface ResolvedPart {
  readonly part: Part;
  readonly call: PartCall;
}

/** What requests are made of: what the caller said, and what other parts have brought. */
export interface Given {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly answers: ReadonlyMap<string, Arrived>;
}

/** What a part has brought: one message, or as many as it made calls that succeeded. */
export interface Arrived {
  readonly messages: readonly Message[];
  /** The same as protojson, each as a whole: for parts that read it so. */
  readonly whole: readonly JsonValue[];
}

/** An aggregate that cannot be. The message says all that is wrong, each with its path and its part. */
export class CompositionError extends Error {
  override readonly name = "CompositionError";
  readonly complaints: readonly string[];

  constructor(complaints: readonly string[]) {
    super(complaints.join("; "));
    this.complaints = complaints;
  }
}

/** How errors name a part: `GET /v1/users/{id}/overview: part "orders"`. */
export function partOf(path: string, name: string): string {
  return `GET ${path}: part "${name}"`;
}

/** The fan-out where nothing is said of it. */
export const defaultFanOut: FanOut = { maxCalls: 100, maxAtOnce: 10 };
