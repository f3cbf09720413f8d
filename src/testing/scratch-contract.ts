import {
  create,
  createFileRegistry,
  type DescFile,
  type DescService,
  type MessageInitShape,
  setExtension,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  MethodOptions_IdempotencyLevel,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { http } from "../../gen/google/api/annotations_pb.ts";
import { HttpRuleSchema } from "../../gen/google/api/http_pb.ts";
import { file_google_api_httpbody } from "../../gen/google/api/httpbody_pb.ts";
import { MethodPolicySchema, method as policyOption } from "../../gen/heddle/policy/v1/policy_pb.ts";

/** One method of a scratch contract. */
export interface ScratchMethod {
  readonly name: string;
  /** Unset, the method has no annotation. */
  readonly rule?: MessageInitShape<typeof HttpRuleSchema>;
  readonly policy?: MessageInitShape<typeof MethodPolicySchema>;
  readonly clientStreaming?: boolean;
  /** Whether it has no side effects. */
  readonly readOnly?: boolean;
  readonly serverStreaming?: boolean;
  /** Full name of the request's type. Default `scratch.v1.Everything`. */
  readonly input?: string;
  /** Full name of the response's type. Default `scratch.v1.Everything`. */
  readonly output?: string;
}

const { STRING, INT32, INT64, UINT32, FIXED64, BOOL, FLOAT, DOUBLE, BYTES, ENUM, MESSAGE } = FieldDescriptorProto_Type;
const wellKnown: readonly DescFile[] = [
  file_google_api_httpbody, // before what it imports itself: the registry adds them from the last to the first
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
];

/**
 * A contract made on the spot: a service with the given google.api.http rules over a message that has a field of every
 * kind. For rules that no real contract has, and those that no contract should.
 */
export function scratchService(...methods: readonly ScratchMethod[]): DescService {
  const file = create(FileDescriptorProtoSchema, {
    name: "scratch/v1/scratch.proto",
    package: "scratch.v1",
    syntax: "proto3",
    dependency: wellKnown.map(({ proto }) => proto.name),
    enumType: [
      {
        name: "Kind",
        value: ["KIND_UNSPECIFIED", "KIND_SMALL", "KIND_VERY_BIG"].map((name, number) => ({ name, number })),
      },
    ],
    messageType: [everything(), address(), { name: "Inner", field: [one("label", 1, STRING), one("count", 2, INT64)] }],
    service: [{ name: "ScratchService", method: methods.map(methodProto) }],
  });
  const registry = createFileRegistry(file, (name) => wellKnown.find(({ proto }) => proto.name === name)?.proto);
  const service = registry.getService("scratch.v1.ScratchService");
  if (service === undefined) throw new Error("the scratch contract has lost its service");
  return service;
}

function methodProto({ name, rule, policy, readOnly, input = whole, output = whole, ...streaming }: ScratchMethod) {
  const options = create(MethodOptionsSchema);
  if (readOnly) options.idempotencyLevel = MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  if (rule !== undefined) setExtension(options, http, create(HttpRuleSchema, rule));
  if (policy !== undefined) setExtension(options, policyOption, create(MethodPolicySchema, policy));
  return { name, options, ...streaming, inputType: `.${input}`, outputType: `.${output}` };
}

const whole = "scratch.v1.Everything";

function everything() {
  const field = [
    one("name", 1, STRING),
    one("small_int", 2, INT32),
    one("long_int", 3, INT64),
    one("flag", 4, BOOL),
    one("ratio", 5, DOUBLE),
    one("data", 6, BYTES),
    one("kind", 7, ENUM, ".scratch.v1.Kind"),
    many("tags", 8, STRING),
    many("kinds", 9, ENUM, ".scratch.v1.Kind"),
    many("counts", 10, MESSAGE, ".scratch.v1.Everything.CountsEntry"),
    one("inner", 11, MESSAGE, ".scratch.v1.Inner"),
    many("inners", 12, MESSAGE, ".scratch.v1.Inner"),
    one("nick_name", 13, MESSAGE, ".google.protobuf.StringValue"),
    one("big_int", 14, MESSAGE, ".google.protobuf.Int64Value"),
    one("created_at", 15, MESSAGE, ".google.protobuf.Timestamp"),
    one("span", 16, MESSAGE, ".google.protobuf.Duration"),
    one("update_mask", 17, MESSAGE, ".google.protobuf.FieldMask"),
    one("extra", 18, MESSAGE, ".google.protobuf.Struct"),
    { ...one("left", 19, STRING), oneofIndex: 0 },
    { ...one("right", 20, MESSAGE, ".scratch.v1.Inner"), oneofIndex: 0 },
    one("self", 21, MESSAGE, ".scratch.v1.Everything"),
    one("any", 22, MESSAGE, ".google.protobuf.Any"),
    one("constructor", 23, STRING),
    { ...one("renamed", 24, INT64), jsonName: "ReNamed" },
    many("long_ints", 25, INT64),
    one("file", 26, MESSAGE, ".google.api.HttpBody"),
    many("parts", 27, MESSAGE, ".scratch.v1.Everything.PartsEntry"),
    many("flags_by_number", 28, MESSAGE, ".scratch.v1.Everything.FlagsByNumberEntry"),
    one("address", 29, MESSAGE, ".scratch.v1.Address"),
    many("moments", 30, MESSAGE, ".google.protobuf.Timestamp"),
    one("short_ratio", 31, FLOAT),
    one("unsigned", 32, UINT32),
    one("fixed", 33, FIXED64),
    one("truth", 34, MESSAGE, ".google.protobuf.BoolValue"),
  ];
  const nestedType = [
    { name: "CountsEntry", field: [one("key", 1, STRING), one("value", 2, INT64)], options: { mapEntry: true } },
    {
      name: "PartsEntry",
      field: [one("key", 1, STRING), one("value", 2, MESSAGE, ".scratch.v1.Inner")],
      options: { mapEntry: true },
    },
    { name: "FlagsByNumberEntry", field: [one("key", 1, INT32), one("value", 2, BOOL)], options: { mapEntry: true } },
  ];
  return { name: "Everything", field, nestedType, oneofDecl: [{ name: "choice" }] };
}

/** Names with digits, which masks in JSON cannot tell apart, and a message below a message. */
function address() {
  const field = [one("line_1", 1, STRING), one("city", 2, STRING), one("at", 3, MESSAGE, ".scratch.v1.Inner")];
  return { name: "Address", field };
}

function one(name: string, number: number, type: FieldDescriptorProto_Type, typeName = "") {
  const jsonName = name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return { name, number, type, typeName, jsonName, label: FieldDescriptorProto_Label.OPTIONAL };
}

function many(name: string, number: number, type: FieldDescriptorProto_Type, typeName = "") {
  return { ...one(name, number, type, typeName), label: FieldDescriptorProto_Label.REPEATED };
}
