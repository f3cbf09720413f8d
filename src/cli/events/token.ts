import { developmentTokens, issueToken } from "../../security/token-service.ts";
import { type Cli, UsageError } from "../command.ts";
import { keysFolder, usesOwnKeys } from "../plan.ts";

/** What it takes to change what becomes of events. */
const scope = "events:write";
const ttlMs = 60_000;

/** What commands that change something show: HEDDLE_TOKEN, or a token by the keys of development where those are taken. */
export async function writersToken({ env, home, clock }: Cli): Promise<string> {
  if (env.HEDDLE_TOKEN) return env.HEDDLE_TOKEN;
  if (!usesOwnKeys(env)) {
    throw new UsageError(
      `set HEDDLE_TOKEN to a bearer token with the scope ${scope}: the keys of development are not taken here`,
    );
  }
  const audience = env.AUTH_AUDIENCE || developmentTokens.audience;
  return issueToken({ folder: keysFolder(home), clock }, { subject: "heddle-cli", scopes: [scope], audience, ttlMs });
}
