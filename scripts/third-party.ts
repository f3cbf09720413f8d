/** Fills third_party/ with the .proto files that our contracts import, out of the npm packages that carry them. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { printProto2 } from "./print-proto2.ts";

const root = join(import.meta.dirname, "..");
const target = join(root, "third_party");
const googleapis = "google-gax/build/protos";
const xds = "@grpc/grpc-js/proto/xds";

/** Path in third_party/ → path in node_modules/. */
const files: Readonly<Record<string, string>> = {
  "google/api/annotations.proto": `${googleapis}/google/api/annotations.proto`,
  "google/api/http.proto": `${googleapis}/google/api/http.proto`,
  "google/api/httpbody.proto": `${googleapis}/google/api/httpbody.proto`,
  "google/rpc/code.proto": `${googleapis}/google/rpc/code.proto`,
  "google/rpc/error_details.proto": `${googleapis}/google/rpc/error_details.proto`,
  "google/rpc/status.proto": `${googleapis}/google/rpc/status.proto`,
  "google/type/money.proto": `${googleapis}/google/type/money.proto`,
  "grpc/health/v1/health.proto": "grpc-health-check/proto/health/v1/health.proto",
  "grpc/reflection/v1/reflection.proto": "@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto",
  "grpc/reflection/v1alpha/reflection.proto": "@grpc/reflection/build/proto/grpc/reflection/v1alpha/reflection.proto",
};

/** The same for those that state rules for protoc-gen-validate, which nobody here checks: they come without them. */
const ruled: Readonly<Record<string, string>> = {
  "xds/data/orca/v3/orca_load_report.proto": `${xds}/xds/data/orca/v3/orca_load_report.proto`,
  "xds/service/orca/v3/orca.proto": `${xds}/xds/service/orca/v3/orca.proto`,
};

rmSync(target, { recursive: true, force: true });
for (const [to, from] of Object.entries(files)) {
  mkdirSync(dirname(join(target, to)), { recursive: true });
  cpSync(join(root, "node_modules", from), join(target, to));
}
for (const [to, from] of Object.entries(ruled)) {
  mkdirSync(dirname(join(target, to)), { recursive: true });
  writeFileSync(join(target, to), withoutRules(readFileSync(join(root, "node_modules", from), "utf8")));
}
mkdirSync(join(target, "buf/validate"), { recursive: true });
writeFileSync(join(target, "buf/validate/validate.proto"), printProto2(file_buf_validate_validate));

function withoutRules(proto: string): string {
  return proto
    .replaceAll(/^import "validate\/validate\.proto";\s*/gm, "")
    .replaceAll(/\s*\[\(validate\.rules\)[^\]]*\]/g, "");
}
