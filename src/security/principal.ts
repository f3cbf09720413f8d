import { createContextKey, type HandlerContext } from "@connectrpc/connect";

/** The caller, once proven. */
export interface Principal {
  /** Who: the token's `sub`. */
  readonly subject: string;
  /** What the caller may do. */
  readonly scopes: ReadonlySet<string>;
  /** Everything that its token says, where there is one. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/**
 * Proves the caller of a call, by its `requestHeader` as a rule; `undefined` for one who shows nothing. Throws
 * UNAUTHENTICATED for a false one, UNAVAILABLE where nobody can say at the moment. What is known at once need not be
 * promised: that saves a turn on every call.
 */
export type Authenticate = (call: HandlerContext) => Promise<Principal | undefined> | Principal | undefined;

/** The caller of the call being served, for handlers that ask: `context.values.get(principalKey)`. */
export const principalKey = createContextKey<Principal | undefined>(undefined, { description: "principal" });
