import type { Interceptor } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import { attemptKey } from "../../call/context.ts";
import { ended } from "../../call/ended.ts";
import { codeOf, verdictOf } from "../../call/outcome.ts";
import type { SessionPool } from "../../wire/session-pool.ts";
import type { Pick } from "../balance/picker.ts";
import type { Channel } from "../channel.ts";
import type { ChannelOf } from "../channels.ts";
import type { MeshHooks } from "../hooks.ts";
import { triedKey } from "./retry.ts";

/** What picking needs. */
export interface PickOptions {
  readonly channelOf: ChannelOf;
  readonly sessions: SessionPool;
  readonly hooks: MeshHooks;
  readonly clock: Clock;
}

/**
 * Sends the attempt to an endpoint whose circuit lets it, waiting only while nothing at all is known of the service,
 * and tells the endpoint's circuit and counts how it ended.
 *
 * Innermost, so that what it measures is the endpoint and not us.
 */
export function pick({ channelOf, sessions, hooks, clock }: PickOptions): Interceptor {
  return (next) => async (req) => {
    const tried = req.contextValues.get(triedKey);
    const channel = channelOf(req.method.parent);
    const picked = await pickOrWait(channel, () => channel.pick(req.method, tried), req.signal);
    if (picked.kind === "refuse") throw picked.error;

    const { endpoint } = picked;
    tried.add(endpoint.id);
    const startedAt = clock.now();
    const url = `${sessions.originOf(endpoint.address)}/${req.method.parent.typeName}/${req.method.name}`;
    const answer = next({ ...req, url }).then((res) => {
      if (res.stream) picked.answered();
      return res;
    });
    return ended(answer, req.signal, (reason) => {
      const code = codeOf(reason, req.signal);
      const outcome = { verdict: verdictOf(code), code, durationMs: clock.now() - startedAt };
      picked.done(outcome);
      const attempt = req.contextValues.get(attemptKey);
      hooks.attemptEnded?.({ method: req.method, attempt, endpoint, ...outcome });
    });
  };
}

async function pickOrWait(
  channel: Channel,
  choose: () => Pick,
  signal: AbortSignal,
): Promise<Exclude<Pick, { kind: "wait" }>> {
  for (let picked = choose(); ; picked = choose()) {
    if (picked.kind !== "wait") return picked;
    await channel.known(signal);
  }
}
