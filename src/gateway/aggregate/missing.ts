import type { JsonObject } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { errorReason, errorWithInfo } from "../../call/errors.ts";
import { knownError } from "../../rest/response/error.ts";
import type { Part } from "./aggregate.ts";

/** Why something of a part is not in the answer. */
export interface Missing {
  readonly part: string;
  readonly error: ConnectError;
  /** How many of the part's values; `undefined` where it has only one. */
  readonly count: number | undefined;
}

/** The error as it may be shown: of what was no error of a call, nothing is told. */
export function shownError(reason: unknown): ConnectError {
  return knownError(reason, neverAborted);
}

const neverAborted = new AbortController().signal;

/** What a part lacks, by why: values that are missing for the same reason are told of once, with how many they are. */
export function missingValues({ name }: Part, errors: readonly ConnectError[]): readonly Missing[] {
  const byReason = Map.groupBy(errors, (error) => `${error.code} ${errorReason(error)?.reason ?? ""}`);
  return [...byReason.values()].flatMap((alike) => {
    const [error] = alike;
    return error === undefined ? [] : [{ part: name, error, count: alike.length }];
  });
}

/** A part has more values than it may ask for. */
export function tooMany({ name }: Part, maxCalls: number, count: number): Missing {
  const message = `there are ${count}, and only the first ${maxCalls} are asked for`;
  const error = errorWithInfo(Code.ResourceExhausted, message, { reason: "TOO_MANY_VALUES", domain: "heddle" });
  return { part: name, error, count: count - maxCalls };
}

/** A part whose request is made of an answer that is missing. */
export function withoutNeeded({ name }: Part, needed: string, { code }: ConnectError): Missing {
  const message = `it is made of "${needed}", which is missing`;
  const error = errorWithInfo(code, message, { reason: "NEEDED_PART_MISSING", domain: "heddle" });
  return { part: name, error, count: undefined };
}

/**
 * What is missing as callers read it. Where an error comes from a service, its words are meant for callers; what the mesh
 * says of its endpoints is not, and is said without them.
 */
export function missingJson({ part, error, count }: Missing): JsonObject {
  return {
    part,
    code: error.code,
    message: wordsFor(error),
    reason: errorReason(error)?.reason ?? "",
    ...(count !== undefined && { missing: count }),
  };
}

/** Codes of errors that tell of the inside of a service. */
const inside: ReadonlySet<Code> = new Set([Code.Unknown, Code.Internal, Code.DataLoss]);

const ownReasons: ReadonlySet<string> = new Set(["NEEDED_PART_MISSING", "TOO_MANY_VALUES", "PART_NOT_READY"]);

function wordsFor(error: ConnectError): string {
  if (inside.has(error.code)) return "internal error";
  const info = errorReason(error);
  if (info?.domain === "heddle" && ownReasons.has(info.reason)) return error.rawMessage;
  const isOfMesh = info === undefined || info.domain === "heddle";
  return (isOfMesh ? plainWords.get(error.code) : undefined) ?? error.rawMessage;
}

const plainWords: ReadonlyMap<Code, string> = new Map([
  [Code.Unavailable, "its service is away"],
  [Code.DeadlineExceeded, "its service did not answer in time"],
  [Code.ResourceExhausted, "its service takes no more calls at the moment"],
]);
