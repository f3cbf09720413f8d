import type { StreamResponse, UnaryResponse } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import type { Fields } from "../../call/fields.ts";
import { headers } from "../../call/headers.ts";
import { codeOf, verdictOf } from "../../call/outcome.ts";
import type { OutgoingCall } from "../../call/outgoing-call.ts";
import type { Perform } from "../../wire/grpc/call-transport.ts";
import type { Attempt } from "../../wire/grpc/rpc.ts";
import type { SessionPool } from "../../wire/session-pool.ts";
import type { Pick } from "../balance/picker.ts";
import type { Channel } from "../channel.ts";
import type { ChannelOf } from "../channels.ts";
import type { MeshHooks } from "../hooks.ts";

/** What picking needs. */
export interface PickOptions {
  readonly channelOf: ChannelOf;
  readonly sessions: SessionPool;
  readonly hooks: MeshHooks;
  readonly clock: Clock;
}

/** An endpoint that was picked. */
type Picked = Extract<Pick, { kind: "endpoint" }>;

/**
 * Sends the attempt to an endpoint whose circuit lets it, waiting only while nothing at all is known of the service,
 * and tells the endpoint's circuit and counts how it ended.
 *
 * Innermost, so that what it measures is the endpoint and not us.
 */
export function pick(options: PickOptions): Perform {
  return async (call) => {
    const channel = options.channelOf(call.method.parent);
    const first = channel.pick(call.method, call.tried);
    const picked = first.kind === "wait" ? await pickWhenKnown(channel, call) : first;
    if (picked.kind === "refuse") throw picked.error;
    call.tried.push(picked.endpoint.id);
    return sent(call, picked, options);
  };
}

async function pickWhenKnown(channel: Channel, call: OutgoingCall): Promise<Exclude<Pick, { kind: "wait" }>> {
  for (;;) {
    await channel.known(call.attemptLifetime.signal);
    const picked = channel.pick(call.method, call.tried);
    if (picked.kind !== "wait") return picked;
  }
}

async function sent(call: OutgoingCall, picked: Picked, options: PickOptions): Promise<UnaryResponse | StreamResponse> {
  const { sessions, hooks, clock } = options;
  const { method, message, attempt, attemptMs: timeoutMs, attemptLifetime: lifetime } = call;
  const { endpoint } = picked;
  const startedAt = clock.now();
  const ended = (reason?: unknown) => {
    const code = codeOf(reason, lifetime);
    const outcome = { verdict: verdictOf(code), code, durationMs: clock.now() - startedAt };
    picked.done(outcome);
    hooks.attemptEnded?.({ method, attempt, endpoint, ...outcome });
  };
  try {
    const attempted = { method, message, fields: fieldsOf(call), timeoutMs, lifetime };
    const res = await sessions.send(endpoint.address, call.isStream ? streamed(attempted, call, ended) : attempted);
    if (res.stream) picked.answered();
    else ended();
    return res;
  } catch (reason) {
    ended(reason);
    throw reason;
  }
}

function streamed(attempt: Attempt, call: OutgoingCall, ended: (reason?: unknown) => void): Attempt {
  const onStreamEnd = (reason?: unknown) => {
    ended(reason);
    call.end(reason);
  };
  return { ...attempt, onStreamEnd };
}

/** The call's fields, and how many attempts came before. */
function fieldsOf({ fields, attempt }: OutgoingCall): Fields {
  return attempt === 1 ? fields : [...fields, headers.previousAttempts, String(attempt - 1)];
}
