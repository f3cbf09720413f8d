import type { DescMethod } from "@bufbuild/protobuf";
import { methodPolicy } from "../../call/policy.ts";

/** Whether calls of the method may pass unread: to find an answer again, its request has to be read. */
export function isNotCached(method: DescMethod): boolean {
  return methodPolicy(method).cache === undefined;
}
