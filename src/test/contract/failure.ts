import { createRegistry, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError } from "@connectrpc/connect";
import {
  type BadRequest,
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  file_google_rpc_error_details,
} from "../../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.ts";

/** An error as it arrived, by whichever protocol. */
export interface Failure {
  readonly code: Code;
  readonly message: string;
  readonly reason: string | undefined;
  readonly fields: readonly string[];
}

/** What arrived over gRPC, gRPC-Web or Connect. */
export function failureOf(error: ConnectError): Failure {
  return {
    code: error.code,
    message: error.rawMessage,
    ...details(error.findDetails(ErrorInfoSchema), error.findDetails(BadRequestSchema)),
  };
}

const registry = createRegistry(file_google_rpc_error_details);

/** What arrived over REST, which has to be a google.rpc.Status to the letter. */
export function failureOfStatus(json: JsonValue): Failure {
  const { code, message, details: any } = fromJson(StatusSchema, json, { registry });
  const found = any.map((each) => anyUnpack(each, registry)).filter((each) => each !== undefined);
  const infos = found.filter(({ $typeName }) => $typeName === ErrorInfoSchema.typeName) as ErrorInfo[];
  const requests = found.filter(({ $typeName }) => $typeName === BadRequestSchema.typeName) as BadRequest[];
  return { code, message, ...details(infos, requests) };
}

function details(infos: readonly ErrorInfo[], requests: readonly BadRequest[]) {
  const fields = requests.flatMap(({ fieldViolations }) => fieldViolations.map(({ field }) => field));
  return { reason: infos[0]?.reason, fields };
}

/** HTTP status by code, as google/rpc/code.proto has it: for REST. */
export const httpStatusOf: Partial<Record<Code, number>> = {
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.Unauthenticated]: 401,
  [Code.PermissionDenied]: 403,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.Unavailable]: 503,
};
