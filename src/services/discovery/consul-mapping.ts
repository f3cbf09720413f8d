import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  type AgentCheck,
  type RegisterAgentServiceRequest,
  type ServiceEntry,
  ServiceEntrySchema,
} from "../../../gen/heddle/discovery/v1/consul_pb.ts";
import {
  type HealthCheck,
  HealthCheckSchema,
  type Instance,
  InstanceSchema,
  Status,
} from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { invalidArgument } from "../../call/errors.ts";
import { parseGoDuration } from "./go-duration.ts";
import type { Registration } from "./registration.ts";

/** Where Consul's tags are kept in an instance's metadata. */
const tagsKey = "tags";
const intervalMs = { min: 1_000, max: 3_600_000 };
const timeoutMs = { min: 10, max: 60_000 };

/** What Consul's registration asks for, in our words; it stays until it is taken out. */
export function fromConsul(request: RegisterAgentServiceRequest): Registration {
  const { id, name, address, port, tags, meta, check } = request;
  const { probe, probeAddress } = probeOf(check);
  const instance = create(InstanceSchema, {
    id: id || name,
    name,
    host: address || "127.0.0.1",
    port,
    metadata: { ...meta, ...(tags.length > 0 && { [tagsKey]: tags.join(",") }) },
    healthCheck: create(HealthCheckSchema, {
      probe,
      interval: spanOf(check?.interval, intervalMs),
      timeout: spanOf(check?.timeout, timeoutMs),
    }),
  });
  return { instance, term: "until-deregistered", ...(probeAddress && { probeAddress }) };
}

/** An instance as Consul's health endpoint shows it. */
export function toConsul({ id, name, host, port, metadata, status, statusReason }: Instance): ServiceEntry {
  const { [tagsKey]: tags = "", ...meta } = metadata;
  return create(ServiceEntrySchema, {
    service: { id, service: name, address: host, port, tags: tags === "" ? [] : tags.split(","), meta },
    checks: [{ status: status === Status.HEALTHY ? "passing" : "critical", output: statusReason }],
  });
}

interface Probe {
  readonly probe: NonNullable<MessageInitShape<typeof HealthCheckSchema>["probe"]>;
  readonly probeAddress?: string;
}

/** The first of HTTP, GRPC and TCP that is set; without any, the instance's own port has to accept a connection. */
function probeOf(check: AgentCheck | undefined): Probe {
  if (check?.http) return { probe: { case: "http", value: { url: urlOf(check.http) } } };
  if (check?.grpc) {
    const [address = "", ...service] = check.grpc.split("/");
    const probeAddress = addressOf("Check.GRPC", address);
    return { probe: { case: "grpc", value: { service: service.join("/") } }, probeAddress };
  }
  const probe = { case: "tcp", value: {} } as const;
  return check?.tcp ? { probe, probeAddress: addressOf("Check.TCP", check.tcp) } : { probe };
}

function urlOf(text: string): string {
  const url = URL.parse(text);
  if (url && ["http:", "https:"].includes(url.protocol)) return text;
  throw invalidArgument([{ field: "Check.HTTP", description: "has to be an http or https URL" }]);
}

function addressOf(field: string, text: string): string {
  const url = URL.parse(`tcp://${text}`);
  if (url && url.hostname !== "" && url.port !== "" && url.host === text.toLowerCase()) return text;
  throw invalidArgument([{ field, description: 'has to be host:port, such as "127.0.0.1:5001"' }]);
}

/** Consul raises what is too short instead of refusing it; so do we, and cut what is too long. */
function spanOf(
  text: string | undefined,
  { min, max }: { readonly min: number; readonly max: number },
): HealthCheck["interval"] {
  const ms = parseGoDuration(text ?? "");
  return ms === undefined ? undefined : durationFromMs(Math.min(Math.max(ms, min), max));
}
