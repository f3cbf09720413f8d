import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { type OrcaLoadReport, OrcaLoadReportSchema } from "../../gen/xds/data/orca/v3/orca_load_report_pb.ts";
import { type Fields, fieldOf } from "./fields.ts";
import { headers } from "./headers.ts";

/** What a server says of its load, as ORCA has it: for balancers to weigh it by. */
export interface LoadReport {
  /** Share of what it can do, from 0; above 1, it is beyond. */
  readonly utilization: number;
  /** Calls a second, and those among them that failed by its fault. */
  readonly qps: number;
  readonly eps: number;
  /** How long what arrives waits until its event loop looks at it, in milliseconds; `undefined`, it does not say. */
  readonly delayMs: number | undefined;
}

const delayMetric = "heddle.event_loop_delay_ms";

/** The report as ORCA's message. */
export function orcaReport({ utilization, qps, eps, delayMs }: LoadReport): OrcaLoadReport {
  return create(OrcaLoadReportSchema, {
    applicationUtilization: utilization,
    rpsFractional: qps,
    eps,
    namedMetrics: delayMs === undefined ? {} : { [delayMetric]: delayMs },
  });
}

/** The report in ORCA's message, whoever sent it: what the application says of itself goes before what its CPU does (gRFC A58). */
export function fromOrca({ applicationUtilization, cpuUtilization, rpsFractional, eps, namedMetrics }: OrcaLoadReport) {
  const utilization = applicationUtilization > 0 ? applicationUtilization : cpuUtilization;
  return { utilization, qps: rpsFractional, eps, delayMs: namedMetrics[delayMetric] } satisfies LoadReport;
}

/** The fields that tell the report behind an answer (gRFC A51). */
export function loadReportFields(report: LoadReport): Fields {
  const bytes = toBinary(OrcaLoadReportSchema, orcaReport(report));
  return Object.freeze([headers.loadMetrics, base64Encode(bytes, "std_raw")]);
}

/** The report among the trailers of an answer, if there is one that can be read. */
export function loadReportOf(fields: Fields): LoadReport | undefined {
  const value = fieldOf(fields, headers.loadMetrics);
  return value === undefined ? undefined : parseLoadReport(value);
}

/**
 * The report in a field's value. Servers repeat one for a second: who gets many answers may keep what came of the last
 * value and compare.
 */
export function parseLoadReport(value: string): LoadReport | undefined {
  try {
    return fromOrca(fromBinary(OrcaLoadReportSchema, base64Decode(value)));
  } catch {
    return undefined; // a server that garbles its report has answered all the same
  }
}
