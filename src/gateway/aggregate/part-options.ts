/** What an aggregate is, beside its parts. */
export interface AggregateOptions<Query extends string> {
  /** What it answers, in a sentence: for its documentation. */
  readonly description?: string;
  /** For all calls together, in milliseconds. Default: the gateway's `upstreamTimeoutMs`. */
  readonly timeoutMs?: number;
  /** Parameters of the query string that it takes, in lower snake_case. Default none. */
  readonly query?: readonly Query[];
}

/** What a request is made of: the caller's words, and the answers of the parts it names in `from`. */
export type Asked<Path extends string, Query extends string, Answers> = {
  /** The variables of the path, decoded. */
  readonly path: Readonly<Record<VariablesOf<Path>, string>>;
  readonly query: Readonly<Partial<Record<Query, string>>>;
  /** A variable of the path as a whole number; what is none is the caller's mistake, and answered with 400. */
  integer(variable: VariablesOf<Path>): bigint;
} & Readonly<Answers>;

/** The names in a path's braces. */
export type VariablesOf<Path extends string> = Path extends `${string}{${infer Variable}}${infer Rest}`
  ? (Variable extends `${infer Name}=${string}` ? Name : Variable) | VariablesOf<Rest>
  : never;

/** How a part is made. */
export interface PartOptions<Given, From, Request> {
  /** The parts whose answers `request` reads. Default none: the call starts at once. */
  readonly from?: readonly From[];
  readonly request: (given: Given) => Request;
  /** Without it there is no answer: its error is the aggregate's. Default false. */
  readonly required?: boolean;
  /** The field of the method's answer to show alone, in snake_case, or "*". Default: what REST shows of it. */
  readonly show?: string;
}

/** How a part is made that calls once for each request. */
export interface EachOptions<Given, From, Request> extends PartOptions<Given, From, readonly Request[]> {
  /** Calls at most; requests beyond are told of as missing. Default 100. */
  readonly maxCalls?: number;
  /** Calls under way at once at most. Default 10. */
  readonly maxAtOnce?: number;
}
