import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import { CodeSchema } from "../../../gen/google/rpc/code_pb.ts";
import type { Error as ErrorFault, Fault, HeaderMatch } from "../../../gen/heddle/fault/v1/fault_pb.ts";

/** All that one fault says and cannot be, each with its field below `path`. */
export function faultComplaints(fault: Fault, path: string): string[] {
  const { service, method, sharePercent = 100, header, what } = fault;
  return [
    ...unless(service === "" || fullName.test(service), `${path}.service is "${service}"; ${serviceShape}`),
    ...unless(method === "" || simpleName.test(method), `${path}.method is "${method}"; ${methodShape}`),
    ...unless(sharePercent >= 0 && sharePercent <= 100, `${path}.share_percent is ${sharePercent}; ${shareShape}`),
    ...(header === undefined ? [] : headerComplaints(header, `${path}.header`)),
    ...unless(what.case !== undefined, `${path} says none of delay, error, reset, black_hole and lost_answer`),
    ...(what.case === "delay" ? notPositive(what.value, `${path}.delay`) : []),
    ...(what.case === "error" ? errorComplaints(what.value, `${path}.error`) : []),
  ];
}

const simpleName = /^[A-Za-z_]\w*$/;
const fullName = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;
const serviceShape = 'it has to be a full name, such as "shop.user.v1.UserService"';
const methodShape = 'it has to be a name without its service, such as "GetUser"';
const shareShape = "it has to be from 0 to 100";

/** A token: https://www.rfc-editor.org/rfc/rfc9110.html#section-5.6.2 */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function headerComplaints({ name }: HeaderMatch, path: string): string[] {
  return unless(token.test(name), `${path}.name is "${name}"; it has to be the name of a header field`);
}

function errorComplaints({ code, retryDelay }: ErrorFault, path: string): string[] {
  return [
    ...unless(CodeSchema.value[code] !== undefined, `${path}.code is ${code}; gRPC has codes from 1 to 16`),
    ...(retryDelay === undefined ? [] : notPositive(retryDelay, `${path}.retry_delay`)),
  ];
}

function notPositive(span: Duration, path: string): string[] {
  return unless(durationMs(span) > 0, `${path} is not positive`);
}

function unless(isRight: boolean, complaint: string): string[] {
  return isRight ? [] : [complaint];
}
