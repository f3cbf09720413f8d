import { randomUUID } from "node:crypto";
import { createContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { WholeBody } from "../../call/whole-body.ts";
import type { HttpHandler } from "../../wire/engine.ts";
import { requestIdKey } from "../upstream/request-ids.ts";
import type { AnswerRows, KeyedRequest } from "./answer-rows.ts";
import type { CallerOf } from "./caller.ts";
import { fingerprintOf, scopeOf, standingRequestId } from "./fingerprint.ts";
import { readKey } from "./key.ts";
import { type KeyTrouble, keyRefused } from "./refusals.ts";
import { readRequest } from "./request-body.ts";
import { claimInTime, type Ended, responseOf, work } from "./work.ts";

/** What answering requests with keys needs. */
export interface KeyedRequestsOptions {
  /** Its own to close. */
  readonly rows: { get(): Promise<AnswerRows> } & AsyncDisposable;
  readonly callerOf: CallerOf;
  /** How long a request waits for an equal one that is under way, in milliseconds. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Time in which what is under way may end when it closes, in milliseconds. */
const closeGraceMs = 5_000;

interface UnderWay {
  readonly fingerprint: string;
  /** Nothing where the work broke, or had to wait itself: who waits for it may still do it. */
  readonly ended: Promise<Ended | undefined>;
}

/**
 * Answers requests that come with `Idempotency-Key`: the first of equal ones is passed on, and all others get its answer
 * (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/), in this gateway from memory as long as
 * it is under way, and otherwise, in whatever gateway, from the rows that they share.
 */
export class KeyedRequests implements AsyncDisposable {
  readonly #options: KeyedRequestsOptions;
  readonly #underWay = new Map<string, UnderWay>();

  constructor(options: KeyedRequestsOptions) {
    this.#options = options;
  }

  /** Answers a request, whose key is the header's value `told`; by `inner`, if nobody has made it before. */
  async answer(request: UniversalServerRequest, told: string, inner: HttpHandler): Promise<UniversalServerResponse> {
    const key = readKey(told);
    if (typeof key !== "string") return keyRefused({ kind: "malformed", ...key }, request);
    const caller = await this.#options.callerOf(request);
    if (caller === undefined) return inner(request);
    const body = await readRequest(request);
    if (!(body instanceof Uint8Array)) return keyRefused(body, request);
    const keyed = keyedRequest(request, { caller, key, body });
    const header = new Headers(request.header);
    header.delete("accept-encoding"); // others, who may accept something else, get the same answer
    return this.#once({ keyed, request: { ...request, header, body: new WholeBody(body) }, inner });
  }

  /** Lets what is under way end, if it does so soon, and closes the rows. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { rows, clock } = this.#options;
    await within(Promise.all([...this.#underWay.values()].map(({ ended }) => ended)), closeGraceMs, clock);
    await rows[Symbol.asyncDispose]();
  }

  async #once(come: Come): Promise<UniversalServerResponse> {
    const { keyed, request } = come;
    const { clock, waitMs } = this.#options;
    const waitEndsAt = clock.now() + waitMs;
    for (;;) {
      const others = this.#underWay.get(keyed.scope);
      if (others === undefined) {
        const ended = await this.#begin(come, waitEndsAt);
        return responseTo(request, ended, true);
      }
      if (others.fingerprint !== keyed.fingerprint) return keyRefused({ kind: "reused" }, request);
      const ended = await within(others.ended, waitEndsAt - clock.now(), clock);
      if (ended === late) return keyRefused({ kind: "busy" }, request);
      if (ended !== undefined) return responseTo(request, ended, false);
    }
  }

  /** Does the work, and lets those know who come meanwhile. */
  #begin(come: Come, waitEndsAt: number): Promise<Ended> {
    const { scope, fingerprint } = come.keyed;
    const doing = this.#do(come, waitEndsAt).finally(() => this.#underWay.delete(scope));
    const ended = doing.then((end) => (isBusy(end) ? undefined : end)).catch(() => undefined);
    this.#underWay.set(scope, { fingerprint, ended });
    return doing;
  }

  async #do({ keyed, request, inner }: Come, waitEndsAt: number): Promise<Ended> {
    const { clock, log } = this.#options;
    const claimed = await this.#claim(keyed, waitEndsAt);
    switch (claimed.kind) {
      case "refused":
        return claimed;
      case "answered":
        return { kind: "answer", answer: claimed.answer, made: false, stored: true };
      case "work": {
        const contextValues = request.contextValues ?? createContextValues();
        contextValues.set(requestIdKey, standingRequestId(keyed.scope, claimed.endsAt));
        return work({ rows: claimed.rows, inner, clock, log }, keyed, { ...request, contextValues });
      }
      default:
        return { kind: "refused", trouble: { kind: claimed.kind } };
    }
  }

  async #claim(keyed: KeyedRequest, waitEndsAt: number) {
    const { clock, log } = this.#options;
    try {
      const rows = await this.#options.rows.get();
      return { ...(await claimInTime({ rows, clock }, keyed, waitEndsAt)), rows };
    } catch (error) {
      log.warn("a request with Idempotency-Key was refused: the gateway's database cannot be used", { error });
      const trouble: KeyTrouble = { kind: "store away" };
      return { kind: "refused", trouble } as const;
    }
  }
}

/** A request that has come with a key, and what answers it if it is the first. */
interface Come {
  readonly keyed: KeyedRequest;
  readonly request: UniversalServerRequest;
  readonly inner: HttpHandler;
}

const isBusy = (ended: Ended): boolean => ended.kind === "refused" && ended.trouble.kind === "busy";

interface KeyFacts {
  readonly caller: string;
  readonly key: string;
  readonly body: Uint8Array;
}

function keyedRequest({ method, url, header }: UniversalServerRequest, { caller, key, body }: KeyFacts): KeyedRequest {
  const { pathname: path, search: query } = new URL(url);
  const contentType = header.get("content-type") ?? "";
  const fingerprint = fingerprintOf({ query, contentType, body });
  return { scope: scopeOf({ caller, method, path, key }), fingerprint, holder: randomUUID() };
}

/** What one of those who came with the key is answered. */
function responseTo(request: UniversalServerRequest, ended: Ended, isFirst: boolean): UniversalServerResponse {
  switch (ended.kind) {
    case "refused":
      return keyRefused(ended.trouble, request);
    case "first's":
      if (isFirst) return ended.response;
      return keyRefused({ kind: "not kept", status: ended.response.status }, request);
    case "answer": {
      const { answer, made, stored } = ended;
      if (answer.body === undefined) return keyRefused({ kind: "not kept", status: answer.status }, request);
      const response = responseOf(answer);
      if (!(made && isFirst)) markReplayed(response);
      else if (!stored) response.header?.set("idempotency-stored", "false");
      return response;
    }
  }
}

/** What was left of a rate limit is not told again. */
function markReplayed({ header }: UniversalServerResponse): void {
  header?.set("idempotency-replayed", "true");
  for (const name of ["ratelimit", "ratelimit-policy"]) header?.delete(name);
}

const late = Symbol("late");

/** What the work comes to, or `late` when so many milliseconds are over. */
function within<T>(doing: Promise<T>, ms: number, clock: Clock): Promise<T | typeof late> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(ms, () => resolve(late));
    doing.then(resolve, reject).finally(() => timer.cancel());
  });
}
