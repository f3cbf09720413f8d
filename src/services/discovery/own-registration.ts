import { create, type DescService } from "@bufbuild/protobuf";
import { InstanceSchema } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { addressOf, reachableHost } from "../../app/registration.ts";
import type { Registration } from "./registration.ts";

/** Where discovery itself is found. */
export interface OwnAddress {
  readonly host: string;
  /** The host by which others reach it; empty: `host`, or the machine's name when that is a wildcard. */
  readonly advertise: string;
  readonly port: number;
  readonly adminPort: number | undefined;
  /** Whether its port speaks TLS. Default false. */
  readonly isSecure?: boolean;
  readonly zone: string;
  readonly version: string;
  readonly services: readonly DescService[];
}

/** Discovery as one of the instances it lists. It holds no lease: while there is somebody to ask, it is there. */
export function ownRegistration({
  port,
  adminPort,
  isSecure = false,
  zone,
  version,
  services,
  ...at
}: OwnAddress): Registration {
  const host = reachableHost(at.host, at.advertise);
  const instance = create(InstanceSchema, {
    id: "discovery",
    name: "discovery",
    services: services.map((service) => service.typeName),
    host,
    port,
    zone,
    version,
    ...addressOf({ host, adminPort, isSecure }),
  });
  return { instance, term: "until-deregistered" };
}
