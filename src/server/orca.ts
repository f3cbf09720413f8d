import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { OpenRcaService } from "../../gen/xds/service/orca/v3/orca_pb.ts";
import type { Clock } from "../base/clock.ts";
import { orcaReport } from "../call/load-report.ts";
import type { ServerLoad } from "./load.ts";

/** Reports are no newer than that. */
const shortestMs = 1_000;
/** What gRPC's own weighted round robin asks for. */
const usualMs = 10_000;

/** xds.service.orca.v3.OpenRcaService: load reports for those who want them without calling (gRFC A51). */
export function orcaService(load: ServerLoad, clock: Clock): ServiceImpl<typeof OpenRcaService> {
  return {
    async *streamCoreMetrics({ reportInterval }, { signal }) {
      const intervalMs = reportInterval === undefined ? usualMs : Math.max(shortestMs, durationMs(reportInterval));
      for (;;) {
        yield orcaReport(load.report());
        await clock.sleep(intervalMs, signal);
      }
    },
  };
}
