/** Heddle's gateway, whole, and its transcoder on its own. */

export { type OpenApiDocument, type OpenApiOptions, openApiDocument } from "../rest/openapi/document.ts";
export type { JsonOutput } from "../rest/response/response.ts";
export { RuleError } from "../rest/routes/binding.ts";
export { type Transcoder, type TranscoderOptions, transcoder } from "../rest/transcoder.ts";
export { type Aggregate, CompositionError, type Part } from "./aggregate/aggregate.ts";
export type { AggregateOptions, EachOptions, PartOptions } from "./aggregate/part-options.ts";
export type { AggregateSource } from "./aggregate/plan-source.ts";
export { aggregate, type TypedAggregate } from "./aggregate/typed.ts";
export { type Gateway, openGateway } from "./gateway.ts";
export { type NodeListener, nodeListener } from "./node-listener.ts";
export type { GatewayOptions } from "./options.ts";
