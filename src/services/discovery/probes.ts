import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatusSchema } from "../../../gen/grpc/health/v1/health_pb.ts";
import { Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import type { Engine } from "../../wire/engine.ts";
import { defaultEngine } from "../../wire/engines.ts";
import { grpcTransport } from "../../wire/grpc.ts";
import { tcpProbe } from "../../wire/probe.ts";
import { addressOf, type Registration } from "./registration.ts";
import type { Verdict } from "./registry.ts";

/** Asks an instance once how it is. Resolves with what it answered; rejects if it did not answer. */
export type Probe = (registration: Registration, signal: AbortSignal) => Promise<Verdict>;

/** The longest that a check may take by contract: its own timeout ends it, not the engine's. */
const maxTimeoutMs = 60_000;

/** The probe that each registration asks for, over real sockets. */
export function socketProbe(engine: Engine = defaultEngine): Probe {
  return (registration, signal) => {
    const { probe } = registration.instance.healthCheck ?? {};
    switch (probe?.case) {
      case "http":
        return httpProbe(probe.value.url, signal);
      case "tcp":
        return tcp(registration, signal);
      default:
        return grpcProbe(engine, registration, signal);
    }
  };
}

/** `grpc.health.v1.Health/Check` over a connection of its own: one that can be opened is part of what is asked. */
async function grpcProbe(engine: Engine, registration: Registration, signal: AbortSignal): Promise<Verdict> {
  const { probe } = registration.instance.healthCheck ?? {};
  const service = probe?.case === "grpc" ? probe.value.service : "";
  const address = registration.probeAddress ?? addressOf(registration.instance);
  const tls = registration.instance.metadata.scheme === "https" && { tls: {} };
  await using session = engine.connect(address, { connectTimeoutMs: maxTimeoutMs, ...tls });
  const about = service === "" ? "gRPC health" : `gRPC health of ${service}`;
  try {
    const { status } = await createClient(Health, grpcTransport(session)).check({ service }, { signal });
    const said = HealthCheckResponse_ServingStatusSchema.value[status]?.name ?? status;
    return verdict(said === "SERVING", `${about} says ${said}`);
  } catch (reason) {
    const error = ConnectError.from(reason);
    if (signal.aborted || notAnswers.has(error.code)) throw reason;
    return verdict(false, `${about} answers ${Code[error.code]}: ${error.rawMessage}`);
  }
}

/** Codes that a client makes up when there is no answer. */
const notAnswers = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.Canceled]);

/** A redirect is an answer like any other, and not one from 200 to 299. */
async function httpProbe(url: string, signal: AbortSignal): Promise<Verdict> {
  const response = await fetch(url, { signal, redirect: "manual", headers: { "user-agent": "heddle-discovery" } });
  await response.body?.cancel();
  return verdict(response.ok, `GET ${url} answers ${response.status}`);
}

async function tcp({ instance, probeAddress }: Registration, signal: AbortSignal): Promise<Verdict> {
  const { hostname, port } = new URL(`tcp://${probeAddress ?? addressOf(instance)}`);
  await tcpProbe(hostname.replace(/^\[|\]$/g, ""), Number(port), signal);
  return verdict(true, `port ${port} accepts connections`);
}

function verdict(healthy: boolean, reason: string): Verdict {
  return { status: healthy ? Status.HEALTHY : Status.UNHEALTHY, reason };
}

/** Words for the system's codes that people meet. */
const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was cut",
  ENOTFOUND: "the host name is unknown",
  EAI_AGAIN: "the host name cannot be looked up",
  EHOSTUNREACH: "the host cannot be reached",
  ETIMEDOUT: "the host does not answer",
};

/** Why there was no answer, in words that stay the same as long as the cause does. */
export function whyNoAnswer(reason: unknown): string {
  for (let error = reason; error instanceof Error; error = error.cause) {
    const code = "code" in error ? error.code : undefined;
    if (typeof code === "string") return causes[code] ?? code;
  }
  return reason instanceof Error ? ConnectError.from(reason).rawMessage : String(reason);
}
