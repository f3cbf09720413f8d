/** Heddle: serve a contract, call a contract. */
export { type ServeOptions, serve } from "./app/run.ts";
export type { RunningServer } from "./app/running.ts";
export type { Clock, Timer } from "./base/clock.ts";
export { jsonLogger, type Logger, silentLogger } from "./base/log.ts";
export {
  alreadyExists,
  conflict,
  deadlineExceeded,
  type ErrorReason,
  errorReason,
  errorWithInfo,
  type FieldViolation,
  failedPrecondition,
  invalidArgument,
  notFound,
  resourceExhausted,
  unavailable,
} from "./call/errors.ts";
export { assertPolicies, type MethodPolicy, methodPolicy, PolicyError } from "./call/policy.ts";
export type { Explained, MeshClient } from "./mesh/client.ts";
export {
  bearer,
  type CallersTokenOptions,
  type Credentials,
  type CredentialsOptions,
  callersToken,
  type TokenSource,
} from "./mesh/credentials.ts";
export type {
  ExplainedAttempt,
  ExplainedCall,
  ExplainedDecision,
  ExplainedTime,
} from "./mesh/explained-call.ts";
export type { Explanation } from "./mesh/explanation.ts";
export type { Faults } from "./mesh/faults/faults.ts";
export type { FaultKind } from "./mesh/faults/happening.ts";
export { FaultPlanError, type FaultSource, faultPlanOf } from "./mesh/faults/plan.ts";
export type { EndedAttempt, EndedCall, MeshHooks } from "./mesh/hooks.ts";
export { type Mesh, type MeshOptions, openMesh } from "./mesh/mesh.ts";
export { type DnsParts, type DnsResolverOptions, dnsResolver } from "./mesh/resolve/dns.ts";
export type { DnsLookup, SrvRecord } from "./mesh/resolve/dns-lookup.ts";
export type { Endpoint, Resolution, Resolver } from "./mesh/resolve/resolver.ts";
export { resolverOf } from "./mesh/resolve/resolver-of.ts";
export { staticResolver } from "./mesh/resolve/static.ts";
export { type BearerTokenOptions, bearerTokens } from "./security/bearer-tokens.ts";
export type { JsonWebKeySet } from "./security/key-set.ts";
export { type Authenticate, type Principal, principalKey } from "./security/principal.ts";
