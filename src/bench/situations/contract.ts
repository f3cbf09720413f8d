import { create, createFileRegistry, type Message, type MessageInitShape, setExtension } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  MethodOptions_IdempotencyLevel,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { Criticality, MethodPolicySchema, method as methodOption } from "../../../gen/heddle/policy/v1/policy_pb.ts";

/** What all methods take and answer. */
export type Note = Message<"bench.v1.Note"> & { text: string };

type Unary = { methodKind: "unary"; input: GenMessage<Note>; output: GenMessage<Note> };

/** A service that gets into situations. */
export type Stage = GenService<{ read: Unary; write: Unary; critical: Unary; normal: Unary; sheddable: Unary }>;

/** Its methods. */
export type MethodName = keyof Stage["method"];

/** What a call may take in all, and an attempt of what may be repeated, in milliseconds. */
export const timeoutMs = 1_000;
const attemptMs = 250;

type Policy = MessageInitShape<typeof MethodPolicySchema>;

const second: Policy = { timeout: { seconds: BigInt(timeoutMs / 1_000) } };
const repeated: Policy = { ...second, retry: { perAttemptTimeout: { nanos: attemptMs * 1e6 } } };
/** One caller stands for many: it is not to be the one that refuses. */
const crowd: Policy = { ...second, concurrency: { maxInFlight: 10_000 } };
const { NO_SIDE_EFFECTS, IDEMPOTENCY_UNKNOWN } = MethodOptions_IdempotencyLevel;

const policies: Readonly<Record<string, readonly [MethodOptions_IdempotencyLevel, Policy]>> = {
  Read: [NO_SIDE_EFFECTS, repeated],
  Write: [IDEMPOTENCY_UNKNOWN, second],
  Critical: [NO_SIDE_EFFECTS, { ...crowd, criticality: Criticality.CRITICAL }],
  Normal: [NO_SIDE_EFFECTS, crowd],
  Sheddable: [NO_SIDE_EFFECTS, { ...crowd, criticality: Criticality.SHEDDABLE }],
};

/**
 * `bench.v1.<name>`: Read may be repeated and Write may not, each within a second, an attempt of Read within a quarter;
 * the others differ in what they matter. All else is as contracts have it that say nothing.
 */
export function stageService(name: string): Stage {
  const method = Object.entries(policies).map(([methodName, [idempotencyLevel, policy]]) => {
    const options = create(MethodOptionsSchema, { idempotencyLevel });
    setExtension(options, methodOption, create(MethodPolicySchema, policy));
    return { name: methodName, options, inputType: ".bench.v1.Note", outputType: ".bench.v1.Note" };
  });
  const { OPTIONAL: label } = FieldDescriptorProto_Label;
  const text = { name: "text", jsonName: "text", number: 1, label, type: FieldDescriptorProto_Type.STRING };
  const file = create(FileDescriptorProtoSchema, {
    name: `bench/v1/${name.toLowerCase()}.proto`,
    package: "bench.v1",
    syntax: "proto3",
    messageType: [{ name: "Note", field: [text] }],
    service: [{ name, method }],
  });
  const made = createFileRegistry(file, () => undefined).getService(`bench.v1.${name}`);
  if (made === undefined) throw new Error("the made-up contract has lost its service");
  return made as unknown as Stage; // as the file above says
}

/** A chain of three: callers ask Front, which asks Middle, which asks Back. Where there is just one, it is Back. */
export const stages = { front: stageService("Front"), middle: stageService("Middle"), back: stageService("Back") };

/** One of them. */
export type StageName = keyof typeof stages;

/** Whom each asks. */
export const nextOf = { front: "middle", middle: "back", back: undefined } as const;
