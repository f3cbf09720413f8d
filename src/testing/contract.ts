import { create, createFileRegistry, type DescService, type MessageInitShape, setExtension } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FieldDescriptorProtoSchema,
  type FieldOptions,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  MethodOptions_IdempotencyLevel,
  MethodOptionsSchema,
  ServiceOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import {
  Balance,
  FieldPolicySchema,
  field as fieldOption,
  MethodPolicySchema,
  method as methodOption,
  ServicePolicySchema,
  service as serviceOption,
} from "../../gen/heddle/policy/v1/policy_pb.ts";

/** One method of a made-up contract; its request and response are both `made.v1.Text`. */
export interface MadeMethod {
  readonly name: string;
  /** Default: unknown, so that it may not be repeated. */
  readonly idempotency?: "idempotent" | "read-only";
  /** Whether it answers with a stream. */
  readonly stream?: boolean;
  readonly deprecated?: boolean;
  readonly policy?: MessageInitShape<typeof MethodPolicySchema>;
}

const levels = {
  idempotent: MethodOptions_IdempotencyLevel.IDEMPOTENT,
  "read-only": MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS,
} as const;

/** `made.v1.MadeService` with the given methods and policies: for rules that no contract of ours has, or may have. */
export function contract(
  methods: readonly MadeMethod[],
  service?: MessageInitShape<typeof ServicePolicySchema>,
  textOptions?: FieldOptions,
  moreFields: MessageInitShape<typeof FieldDescriptorProtoSchema>[] = [],
): DescService {
  const options = create(ServiceOptionsSchema);
  if (service !== undefined) setExtension(options, serviceOption, create(ServicePolicySchema, service));
  const { OPTIONAL: label } = FieldDescriptorProto_Label;
  const { STRING: type } = FieldDescriptorProto_Type;
  const file = create(FileDescriptorProtoSchema, {
    name: "made/v1/made.proto",
    package: "made.v1",
    syntax: "proto3",
    messageType: [
      {
        name: "Text",
        field: [
          { name: "text", jsonName: "text", number: 1, label, type, ...(textOptions && { options: textOptions }) },
          ...moreFields,
        ],
      },
    ],
    service: [{ name: "MadeService", options, method: methods.map(methodProto) }],
  });
  const made = createFileRegistry(file, () => undefined).getService("made.v1.MadeService");
  if (made === undefined) throw new Error("the made-up contract has lost its service");
  return made;
}

/** The same with one method, Do, and what it is routed by: its request's text if that is the key, else a header. */
export function keyedContract({ isKey, routingHeader }: { isKey: boolean; routingHeader?: string }): DescService {
  const textOptions = create(FieldOptionsSchema);
  if (isKey) setExtension(textOptions, fieldOption, create(FieldPolicySchema, { routingKey: true }));
  const service = { balance: Balance.RING_HASH, ...(routingHeader && { routingHeader }) };
  return contract([{ name: "Do", idempotency: "idempotent" }], service, textOptions);
}

/** A field of a request, and whether it is marked as its `request_id`. */
export interface MadeField {
  readonly name: string;
  readonly type?: "string" | "int64";
  readonly isList?: boolean;
  /** Default true. */
  readonly isMarked?: boolean;
}

/** The same with one method, Do, whose request has these fields beside its text. */
export function requestIdContract(fields: readonly MadeField[], method: Omit<MadeMethod, "name"> = {}): DescService {
  return contract([{ name: "Do", ...method }], undefined, undefined, fields.map(fieldProto));
}

function fieldProto({ name, type = "string", isList = false, isMarked = true }: MadeField, at: number) {
  const options = create(FieldOptionsSchema);
  if (isMarked) setExtension(options, fieldOption, create(FieldPolicySchema, { requestId: true }));
  const { REPEATED, OPTIONAL } = FieldDescriptorProto_Label;
  const { STRING, INT64 } = FieldDescriptorProto_Type;
  return {
    name,
    jsonName: name,
    number: 2 + at,
    label: isList ? REPEATED : OPTIONAL,
    type: type === "string" ? STRING : INT64,
    options,
  };
}

function methodProto({ name, idempotency, stream: serverStreaming = false, deprecated = false, policy }: MadeMethod) {
  const options = create(MethodOptionsSchema, { deprecated });
  if (idempotency !== undefined) options.idempotencyLevel = levels[idempotency];
  if (policy !== undefined) setExtension(options, methodOption, create(MethodPolicySchema, policy));
  return { name, options, serverStreaming, inputType: ".made.v1.Text", outputType: ".made.v1.Text" };
}
