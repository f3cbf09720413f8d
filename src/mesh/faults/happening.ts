import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError, type StreamResponse, type UnaryResponse } from "@connectrpc/connect";
import { RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import type { Error as ErrorFault, Fault } from "../../../gen/heddle/fault/v1/fault_pb.ts";
import type { Clock } from "../../base/clock.ts";
import { errorWithInfo } from "../../call/errors.ts";
import { withProgress } from "../../call/progress.ts";
import type { Attempt } from "../../wire/grpc/rpc.ts";

/** What a fault does to an attempt, in words. */
export type FaultKind = "delay" | "error" | "reset" | "black hole" | "lost answer";

/** What a fault happens to. */
export interface Victim {
  readonly attempt: Attempt;
  /** Sends it as it would have been sent without the fault. */
  readonly send: (attempt: Attempt) => Promise<UnaryResponse | StreamResponse>;
  readonly clock: Clock;
}

/** What the fault does, in words. A fault that was checked does something. */
export function kindOf({ what }: Fault): FaultKind {
  if (what.case === "blackHole") return "black hole";
  return what.case === "lostAnswer" ? "lost answer" : (what.case ?? "reset");
}

/** Lets the fault happen to the attempt, and answers what comes of that. */
export function happen({ what }: Fault, victim: Victim): Promise<UnaryResponse | StreamResponse> {
  switch (what.case) {
    case "delay":
      return delayed(durationMs(what.value), victim);
    case "error":
      return Promise.reject(answered(what.value));
    case "blackHole":
      return new Promise((_, reject) => victim.attempt.lifetime.onCancel({ canceled: reject }));
    case "lostAnswer":
      return lost(victim);
    default:
      return Promise.reject(reset());
  }
}

/** Its time is running meanwhile: the server is told what is left of it. */
async function delayed(ms: number, { attempt, send, clock }: Victim): Promise<UnaryResponse | StreamResponse> {
  await clock.sleep(ms, attempt.lifetime.signal);
  const { timeoutMs } = attempt;
  return send({ ...attempt, timeoutMs: timeoutMs === undefined ? undefined : Math.max(1, timeoutMs - ms) });
}

/** As a server would have answered, save that it says that none did. */
function answered({ code, message, retryDelay }: ErrorFault): ConnectError {
  const told = `${message || "an error"} (an injected fault)`;
  const error = errorWithInfo((code as number) || Code.Unavailable, told, reason);
  if (retryDelay !== undefined) error.details.push({ desc: RetryInfoSchema, value: { retryDelay } });
  return withProgress(error, "processed");
}

/** Whatever it comes to: a failure that somebody hears of is none that is lost. */
async function lost({ attempt, send }: Victim): Promise<never> {
  if (attempt.method.methodKind === "unary") await send(attempt);
  throw reset();
}

/** Whether the server has acted on what was sent, nobody knows. */
function reset(): ConnectError {
  return withProgress(
    errorWithInfo(Code.Unavailable, "the connection was reset (an injected fault)", reason),
    "processed",
  );
}

/** What programs can tell an injected error by. */
const reason = { reason: "FAULT_INJECTED", domain: "heddle" };
