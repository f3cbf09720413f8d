import type { DescService } from "@bufbuild/protobuf";
import { EventService } from "../../gen/heddle/event/v1/event_service_pb.ts";
import type { Resolver } from "../mesh/resolve/resolver.ts";

/**
 * Finds the log of one publisher: every service that publishes serves `heddle.event.v1.EventService` on its own port, so the
 * endpoints of `publisher` are where its events are, and nobody else's. Closing it leaves `resolver` open.
 */
export function publisherResolver(resolver: Resolver, publisher: DescService): Resolver {
  const asked = (service: string) => (service === EventService.typeName ? publisher.typeName : service);
  return {
    resolve: (service) => resolver.resolve(asked(service)),
    lookAgain: (service) => resolver.lookAgain?.(asked(service)),
    async [Symbol.asyncDispose]() {},
  };
}
