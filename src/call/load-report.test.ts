import { create, toBinary } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { OrcaLoadReportSchema } from "../../gen/xds/data/orca/v3/orca_load_report_pb.ts";
import { loadReportFields, loadReportOf } from "./load-report.ts";

const report = { utilization: 0.75, qps: 120.5, eps: 1.5, delayMs: 12 };

test("what a server tells of its load is what a client reads among the trailers", () => {
  expect(loadReportOf(["grpc-status", "0", ...loadReportFields(report)])).toEqual(report);
});

test("the field is gRPC's, and says nothing that would have to be padded", () => {
  const [name, value] = loadReportFields(report);
  expect(name).toBe("endpoint-load-metrics-bin");
  expect(value).toMatch(/^[A-Za-z0-9+/]+$/);
});

test("reports of other servers are read too: of the CPU, where the application says nothing of itself", () => {
  const told = (init: Parameters<typeof create<typeof OrcaLoadReportSchema>>[1]) =>
    loadReportOf([
      "endpoint-load-metrics-bin",
      base64Encode(toBinary(OrcaLoadReportSchema, create(OrcaLoadReportSchema, init))),
    ]);
  expect(told({ cpuUtilization: 0.4, rpsFractional: 3 })).toEqual({
    utilization: 0.4,
    qps: 3,
    eps: 0,
    delayMs: undefined,
  });
  expect(told({ cpuUtilization: 0.4, applicationUtilization: 0.9 })?.utilization).toBe(0.9);
});

test("no report, and one that is garbled, are none", () => {
  expect(loadReportOf(["grpc-status", "0"])).toBeUndefined();
  expect(loadReportOf(["endpoint-load-metrics-bin", "not base64!"])).toBeUndefined();
  expect(loadReportOf(["endpoint-load-metrics-bin", "//////8"])).toBeUndefined();
});
