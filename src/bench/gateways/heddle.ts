import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import { openGateway } from "../../gateway/gateway.ts";
import { sampleId } from "../sample.ts";
import type { Behind } from "./behind.ts";

/** The gateway itself, as it is started: discovery, reflection, routes by contract, metrics, CORS, request ids. */
export async function open({ discovery }: Behind): Promise<number> {
  const { port } = await openGateway({ port: 0, discovery, log: silentLogger, signals: false });
  while (!(await fetch(`http://127.0.0.1:${port}/v1/orders/${sampleId}`)).ok) await systemClock.sleep(50);
  return port;
}
