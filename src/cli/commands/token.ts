import { EnvReader } from "../../base/env.ts";
import { developmentTokens, issueToken, rotateKeys } from "../../security/token-service.ts";
import { type Cli, type Command, type CommandArgs, UsageError } from "../command.ts";
import { nearest } from "../nearest.ts";
import { keysFolder } from "../plan.ts";

/** `heddle token`: bearer tokens for development. */
export const token: Command = {
  name: "token",
  about: "Print a bearer token for development, or rotate the keys: heddle token rotate",
  more:
    "What `up` starts takes these tokens: send one as `authorization: Bearer <token>`. The keys are made at first use,\n" +
    "below keys/ in HEDDLE_HOME. `rotate` lets a new key sign; the old one is taken until its last token has expired.\n" +
    "Refused where NODE_ENV is production: there, AUTH_JWKS names the keys of an identity provider.",
  words: "[rotate]",
  options: {
    sub: { type: "string", about: "who the token is of" },
    scope: { type: "string", about: 'what its bearer may do, with spaces between: "products:write orders:read"' },
    aud: { type: "string", about: `for whom it is (${developmentTokens.audience})` },
    ttl: { type: "string", about: "how long it is good (1h): 90s, 30m, 12h" },
  },
  async run(cli, args) {
    const { env, home, clock } = cli;
    if (env.NODE_ENV === "production") {
      throw new UsageError(
        "heddle token is for development, and NODE_ENV is production: have AUTH_JWKS name your provider's keys",
      );
    }
    const keys = { folder: keysFolder(home), clock };
    const [word, ...more] = args.words;
    if (word === undefined) {
      cli.out.line(await issueToken(keys, wish(args)));
      return 0;
    }
    if (word !== "rotate" || more.length > 0 || Object.keys(args.flags).length > 0)
      throw new UsageError(misunderstood(args));
    return rotate(cli, keys);
  },
};

async function rotate({ out }: Cli, keys: Parameters<typeof rotateKeys>[0]): Promise<number> {
  const { kid, old } = await rotateKeys(keys);
  out.line(`The key ${kid} signs from now on.`);
  for (const key of old)
    out.line(`The key ${key.kid} is taken until ${new Date(key.until).toISOString()}, when its last token expires.`);
  return 0;
}

function wish({ flags }: CommandArgs) {
  const { sub, scope = "", aud = developmentTokens.audience, ttl = "1h" } = flags;
  if (typeof sub !== "string" || sub === "") {
    throw new UsageError(
      "heddle token needs --sub, who the token is of: heddle token --sub ada --scope products:write",
    );
  }
  const scopes = String(scope)
    .split(/[\s,]+/)
    .filter((each) => each !== "");
  return { subject: sub, scopes, audience: String(aud), ttlMs: spanOf(String(ttl)) };
}

/** At least a second, which is as exact as tokens are. */
function spanOf(ttl: string): number {
  const read = new EnvReader({ "--ttl": ttl });
  const ms = read.durationMs("--ttl");
  if (read.complaints.length > 0) throw new UsageError(read.complaints.join("\n"));
  if (ms < 1_000) throw new UsageError(`--ttl=${ttl} has to be a second or more, with its unit: "90s", "30m", "12h"`);
  return ms;
}

function misunderstood({ words, flags }: CommandArgs): string {
  if (words[0] === "rotate") return `heddle token rotate takes no ${words[1] ?? `--${Object.keys(flags)[0]}`}`;
  const meant = nearest(words[0] ?? "", ["rotate"]);
  return `heddle token takes no "${words[0]}"${meant ? `: did you mean ${meant}?` : ""}`;
}
