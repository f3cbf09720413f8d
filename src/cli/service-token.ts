import { developmentTokens, issueToken } from "../security/token-service.ts";
import { type Cli, UsageError } from "./command.ts";
import { keysFolder, usesOwnKeys } from "./plan.ts";

const ttlMs = 60_000;

/**
 * What a command that changes something shows to services: HEDDLE_TOKEN or, where the keys of development are taken, a
 * token by those that is good for one scope and a minute.
 */
export async function serviceToken({ env, home, clock }: Cli, scope: string): Promise<string> {
  if (env.HEDDLE_TOKEN) return env.HEDDLE_TOKEN;
  if (!usesOwnKeys(env)) {
    throw new UsageError(
      `set HEDDLE_TOKEN to a bearer token with the scope ${scope}: the keys of development are not taken here`,
    );
  }
  const audience = env.AUTH_AUDIENCE || developmentTokens.audience;
  return issueToken({ folder: keysFolder(home), clock }, { subject: "heddle-cli", scopes: [scope], audience, ttlMs });
}
