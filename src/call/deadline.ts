/** gRPC allows 8 digits; the unit grows so that they suffice. */
const maxDigits = 99_999_999;
const grpcTimeout = /^(\d{1,8})([HMSmun])$/;
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** A span in milliseconds as the header `grpc-timeout` writes it. Never zero: a call that is late is not sent. */
export function formatGrpcTimeout(ms: number): string {
  const whole = Math.max(1, Math.floor(ms));
  if (whole <= maxDigits) return `${whole}m`;
  return `${Math.min(maxDigits, Math.floor(whole / 1_000))}S`;
}

/** The span in milliseconds that a `grpc-timeout` header tells, or `undefined` if it is malformed. */
export function parseGrpcTimeout(value: string): number | undefined {
  const [, digits, unit] = grpcTimeout.exec(value) ?? [];
  return digits === undefined || unit === undefined ? undefined : Number(digits) * (unitMs[unit] ?? 0);
}
