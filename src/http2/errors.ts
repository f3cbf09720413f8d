import type { LimitName } from "./limits.ts";

/** The error codes of RST_STREAM and GOAWAY (RFC 9113 §7). */
export const ErrorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;

const names = Object.keys(ErrorCode).map((key) => key.replace(/[A-Z]|1/g, "_$&").toUpperCase());

/** A code as the RFC spells it, such as `ENHANCE_YOUR_CALM`; what nobody has defined is shown as a number. */
export function errorName(code: number): string {
  return names[code] ?? `0x${code.toString(16)}`;
}

/**
 * The connection cannot go on (RFC 9113 §5.4.1): what GOAWAY carries, and which limit it was if it was one. Thrown
 * from wherever the bytes turned out to be wrong, caught in one place, told once.
 */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code: number;
  readonly limit: LimitName | undefined;

  constructor(code: number, reason: string, limit?: LimitName) {
    super(`${errorName(code)}: ${reason}`);
    this.code = code;
    this.limit = limit;
  }
}
