import { type DescMethod, type Message, toBinary } from "@bufbuild/protobuf";
import { currentCall } from "../../call/context.ts";
import type { MethodPolicy } from "../../call/policy.ts";
import { ServedCall } from "../../call/served-call.ts";
import { isClosed } from "../../security/access.ts";
import { principalKey } from "../../security/principal.ts";

/** Every method that was asked for, by a number: a contract's new version has new methods, whose answers are others. */
const numbers = new WeakMap<DescMethod, number>();
let lastNumber = 0;

/** What a key is made from. */
export interface CacheKeyOptions {
  readonly method: DescMethod;
  readonly message: Message;
  readonly header: Headers;
  readonly policy: MethodPolicy;
}

/**
 * Equal for calls that may have each other's answers; `undefined` where nobody may have anybody's.
 *
 * It is made of method and request, and of the caller's credentials where answers differ by caller. The same goes for a
 * method that asks for access as long as the gateway has not proven the caller itself: who may see the answer is then for
 * the service to say, of each caller.
 */
export function cacheKey({ method, message, header, policy }: CacheKeyOptions): string | undefined {
  const isPrivate = policy.cache?.private === true;
  const byCaller = isPrivate || (isClosed(method) && !callerIsProven());
  const credentials = header.get("authorization");
  if (byCaller && credentials === null) return undefined;
  const bytes = toBinary(method.input, message);
  const request = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  return `${numberOf(method)} ${byCaller ? credentials : ""}\n${request}`;
}

/** Whether the call being served has passed the gateway's own steps, which let in only whom `access` lets in. */
function callerIsProven(): boolean {
  const call = currentCall();
  return call instanceof ServedCall && call.values.get(principalKey) !== undefined;
}

function numberOf(method: DescMethod): number {
  const known = numbers.get(method);
  if (known !== undefined) return known;
  lastNumber++;
  numbers.set(method, lastNumber);
  return lastNumber;
}
