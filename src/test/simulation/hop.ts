import { create, createFileRegistry, type Message, type MessageInitShape, setExtension } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  MethodOptions_IdempotencyLevel,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { MethodPolicySchema, method as methodOption } from "../../../gen/heddle/policy/v1/policy_pb.ts";

/** What all methods take and answer: which call it is, and a number. */
export type Token = Message<"hop.v1.Token"> & { id: string; count: number };

type Method<Kind> = { methodKind: Kind; input: GenMessage<Token>; output: GenMessage<Token> };

/** One stage of a chain of services. */
export type Hop = GenService<{
  /** May be repeated: 3 attempts of 400 ms, 1 s in all. */
  get: Method<"unary">;
  /** May be repeated: 3 attempts, 5 s in all. */
  put: Method<"unary">;
  /** May be repeated, and is raced by another attempt after 30 ms. */
  race: Method<"unary">;
  /** May not be repeated: 2 s. */
  make: Method<"unary">;
  /** Answers with as many tokens as it is asked for. */
  follow: Method<"server_streaming">;
}>;

/** What each method may take, all attempts included, where its caller does not say. */
export const timeoutMs = {
  get: 1_000,
  put: 5_000,
  race: 1_000,
  make: 2_000,
  follow: Number.POSITIVE_INFINITY,
} as const;

/** The unary methods, and whether each may be repeated. */
export const repeatable = { get: true, put: true, race: true, make: false } as const;

/** Sends in all of what may be repeated. */
export const maxAttempts = 3;

/** `hop.v1.<name>`, a service of its own. */
export function hop(name: string): Hop {
  const { NO_SIDE_EFFECTS, IDEMPOTENT } = MethodOptions_IdempotencyLevel;
  const second = { seconds: 1n };
  const policies: Readonly<Record<string, [MethodOptions_IdempotencyLevel | undefined, Policy?]>> = {
    Get: [NO_SIDE_EFFECTS, { timeout: second, retry: { perAttemptTimeout: { nanos: 400_000_000 } } }],
    Put: [IDEMPOTENT],
    Race: [
      NO_SIDE_EFFECTS,
      { timeout: second, hedge: { after: { case: "afterDelay", value: { nanos: 30_000_000 } } } },
    ],
    Make: [undefined, { timeout: { seconds: 2n } }],
    Follow: [NO_SIDE_EFFECTS],
  };
  const method = Object.entries(policies).map(([methodName, [level, policy]]) => {
    const options = create(MethodOptionsSchema);
    if (level !== undefined) options.idempotencyLevel = level;
    if (policy !== undefined) setExtension(options, methodOption, create(MethodPolicySchema, policy));
    const types = { inputType: ".hop.v1.Token", outputType: ".hop.v1.Token" };
    return { name: methodName, options, serverStreaming: methodName === "Follow", ...types };
  });
  const { STRING, INT32 } = FieldDescriptorProto_Type;
  const { OPTIONAL: label } = FieldDescriptorProto_Label;
  const file = create(FileDescriptorProtoSchema, {
    name: `hop/v1/${name.toLowerCase()}.proto`,
    package: "hop.v1",
    syntax: "proto3",
    messageType: [
      {
        name: "Token",
        field: [
          { name: "id", jsonName: "id", number: 1, label, type: STRING },
          { name: "count", jsonName: "count", number: 2, label, type: INT32 },
        ],
      },
    ],
    service: [{ name, method }],
  });
  return createFileRegistry(file, () => undefined).getService(`hop.v1.${name}`) as unknown as Hop;
}

type Policy = MessageInitShape<typeof MethodPolicySchema>;

/** The chain: callers ask Front, which asks Middle, which asks Back. */
export const [Front, Middle, Back] = [hop("Front"), hop("Middle"), hop("Back")];
