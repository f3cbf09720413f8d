import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { requestIdField } from "./request-id.ts";

/** Whether a call that may have been processed may be sent again: the contract's `idempotency_level` says so. */
export function safeToRepeat(method: DescMethod): boolean {
  return method.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
}

/** Whether a call that names its request, as the mesh's calls do, may be sent again after it may have been processed. */
export function safeToRepeatNamed(method: DescMethod): boolean {
  return safeToRepeat(method) || requestIdField(method) !== undefined;
}

/** Whether the method only reads. */
export function withoutSideEffects(method: DescMethod): boolean {
  return method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

/** Whether the contract calls the method deprecated, or its service, or the file that they are in. */
export function isDeprecated({ deprecated, parent }: DescMethod): boolean {
  return deprecated || parent.deprecated || parent.file.deprecated;
}

/** "shop.user.v1.UserService/GetUser", as gRPC paths and people write it. */
export function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}
