import { fromBinary, fromJsonString, type Registry, toBinary, toJsonString } from "@bufbuild/protobuf";
import { timestampDate, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Options } from "amqplib";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";

/** How payloads are written for the broker: EVENT_FORMAT. */
export type EventFormat = "protobuf" | "json";

/** What is published for one event. */
export interface OutgoingMessage {
  readonly routingKey: string;
  readonly content: Buffer;
  readonly options: Options.Publish;
}

/** Media types of the two formats. */
export const mediaTypes = { protobuf: "application/protobuf", json: "application/json" } as const;
/** Before the name of a message, so that it is a URI as CloudEvents wants it. */
export const schemaPrefix = "https://type.googleapis.com/";

/**
 * An event as CloudEvents' AMQP binding has it, in binary mode: attributes are headers named `cloudEvents:…`, which
 * RabbitMQ shows to clients of AMQP 1.0 as the application properties that the binding speaks of; the body is the
 * payload alone. What AMQP has properties for is in those too, for consumers that have never heard of CloudEvents.
 */
export function outgoing(event: Event, format: EventFormat, registry: Registry): OutgoingMessage {
  return {
    routingKey: event.type,
    content:
      format === "json"
        ? jsonOf(event, registry)
        : Buffer.from(event.data.buffer, event.data.byteOffset, event.data.byteLength),
    options: {
      persistent: true,
      contentType: mediaTypes[format],
      messageId: event.id,
      type: event.type,
      appId: event.source,
      ...(event.time && { timestamp: Math.floor(timestampMs(event.time) / 1_000) }),
      headers: headersOf(event),
    },
  };
}

function headersOf(event: Event): Record<string, string | number> {
  return {
    "cloudEvents:specversion": "1.0",
    "cloudEvents:id": event.id,
    "cloudEvents:source": event.source,
    "cloudEvents:type": event.type,
    "cloudEvents:subject": event.subject,
    "cloudEvents:dataschema": `${schemaPrefix}${event.dataSchema}`,
    "cloudEvents:dataversion": event.version,
    ...(event.time && { "cloudEvents:time": timestampDate(event.time).toISOString() }),
    ...(event.traceParent && { "cloudEvents:traceparent": event.traceParent }),
  };
}

function jsonOf({ id, data, dataSchema }: Event, registry: Registry): Buffer {
  const schema = registry.getMessage(dataSchema);
  if (schema === undefined) {
    throw new Error(
      `event ${id} cannot be sent as JSON: its payload ${dataSchema} is not in the registry; EVENT_FORMAT=protobuf needs none`,
    );
  }
  return Buffer.from(toJsonString(schema, fromBinary(schema, data), { registry }));
}

/** The payload in Protobuf, whichever format it came in; throws what is wrong with it. */
export function payloadOf(
  content: Buffer,
  contentType: string,
  { schemaName, registry }: { schemaName: string; registry: Registry },
): Uint8Array {
  const schema = registry.getMessage(schemaName);
  if (schema === undefined) throw new Error(`its payload ${schemaName} is not known here`);
  const mediaType = contentType.split(";")[0]?.trim().toLowerCase();
  if (mediaType === mediaTypes.json) {
    return toBinary(schema, fromJsonString(schema, content.toString(), { registry, ignoreUnknownFields: true }));
  }
  if (mediaType !== mediaTypes.protobuf) {
    throw new Error(`its content type is "${contentType}", neither ${mediaTypes.protobuf} nor ${mediaTypes.json}`);
  }
  fromBinary(schema, content);
  return new Uint8Array(content); // a copy: the original lies in a larger piece of what the socket read
}
