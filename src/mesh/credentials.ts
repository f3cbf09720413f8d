import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { currentCall } from "../call/context.ts";

/** What calls prove themselves with, and to whom. */
export interface Credentials {
  /** The full names of the services that are shown it; `undefined`, every one that is found in discovery. */
  readonly services: ReadonlySet<string> | undefined;
  /** The value of `authorization` for a call of the method; `undefined`, none. */
  authorization(method: DescMethod): string | undefined | Promise<string | undefined>;
}

/** To whom credentials are shown. */
export interface CredentialsOptions {
  /** The services that are shown them. By default every one that discovery knows; needed where endpoints come from elsewhere. */
  readonly to?: readonly DescService[];
}

/** A token, or what gives one: asked for each call, so it keeps its own token for as long as that is good. */
export type TokenSource = string | (() => string | Promise<string>);

/** Calls prove themselves as this program, by its own token. */
export function bearer(source: TokenSource, options: CredentialsOptions = {}): Credentials {
  const authorization =
    typeof source === "string"
      ? () => `Bearer ${source}`
      : () => {
          const token = source();
          return typeof token === "string" ? `Bearer ${token}` : token.then((text) => `Bearer ${text}`);
        };
  return { services: named(options), authorization };
}

/** Whose token is passed on, and what stands in for one. */
export interface CallersTokenOptions extends CredentialsOptions {
  /** For calls that are made on nobody's behalf, or for a caller who shows no token. By default they show none. */
  readonly otherwise?: Credentials;
}

/**
 * Calls that are made while serving one prove themselves by the token that that one came with: who calls is the same
 * person all the way down, and may no more than they may. Passwords ("Basic") stay where they were sent to.
 */
export function callersToken({ otherwise, ...options }: CallersTokenOptions = {}): Credentials {
  return {
    services: named(options),
    authorization(method) {
      const shown = currentCall()?.authorization;
      return shown !== undefined && /^bearer /i.test(shown) ? shown : otherwise?.authorization(method);
    },
  };
}

function named({ to }: CredentialsOptions): ReadonlySet<string> | undefined {
  return to && new Set(to.map(({ typeName }) => typeName));
}
