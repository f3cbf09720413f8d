/** Heddle's gateway, whole, and its transcoder on its own. */
export { RuleError } from "../rest/binding.ts";
export { type OpenApiDocument, type OpenApiOptions, openApiDocument } from "../rest/openapi/document.ts";
export type { JsonOutput } from "../rest/response.ts";
export { type Transcoder, type TranscoderOptions, transcoder } from "../rest/transcoder.ts";
export { type Gateway, type GatewayOptions, openGateway } from "./gateway.ts";
export { type NodeListener, nodeListener } from "./node-listener.ts";
