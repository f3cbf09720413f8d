import type { DescMessage, Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import { Code, ConnectError } from "@connectrpc/connect";
import { invalidArgument } from "./errors.ts";

/** One for the process: it plans the rules of a message type once, at its first message. */
const validator = createValidator();

/**
 * Throws INVALID_ARGUMENT, with a `google.rpc.BadRequest` that names each field, if the message breaks a rule of its
 * contract; INTERNAL if the contract's rules themselves cannot be evaluated.
 */
export function assertValid(schema: DescMessage, message: Message): void {
  const result = validator.validate(schema, message);
  if (result.kind === "valid") return;
  if (result.kind === "error") {
    throw new ConnectError(`rules of ${schema.typeName}: ${result.error.message}`, Code.Internal);
  }
  throw invalidArgument(
    result.violations.map(({ field, message: description, ruleId }) => ({
      field: field.length > 0 ? pathToString(field) : schema.name,
      description: description || ruleId,
    })),
  );
}
