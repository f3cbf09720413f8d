import { defineEntity, p } from "@mikro-orm/core";

/** Who of a service's replicas does what for the moment: a slot of the relay, a slot of a subscription. */
export function workLeases(service: string) {
  return defineEntity({
    name: `${service}WorkLease`,
    tableName: `${service}_work_leases`,
    properties: {
      /** What is done: "relay/3", "order/0". A replica that lives has one of its own, too: "replica/<holder>". */
      work: p.string().length(120).primary(),
      holder: p.string().length(36),
      until: p.datetime(3),
    },
  });
}

/** A table made by `workLeases`. */
export type WorkLeases = ReturnType<typeof workLeases>;
