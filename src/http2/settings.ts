import { ConnectionError, ErrorCode } from "./errors.ts";
import { uint32 } from "./frame.ts";

/** What an endpoint tells its peer about itself (RFC 9113 §6.5.2). */
export interface Settings {
  readonly headerTableBytes: number;
  readonly concurrentStreams: number;
  readonly initialWindowBytes: number;
  readonly frameBytes: number;
  readonly headerListBytes: number;
}

/** What holds until a peer says otherwise (§6.5.2). */
export const protocolSettings: Settings = {
  headerTableBytes: 4_096,
  concurrentStreams: Number.POSITIVE_INFINITY,
  initialWindowBytes: 65_535,
  frameBytes: 16_384,
  headerListBytes: Number.POSITIVE_INFINITY,
};

/** Largest window there is (§6.9.1), and the largest frame (§4.2). */
export const maxWindowBytes = 2 ** 31 - 1;
const maxFrameBytes = 2 ** 24 - 1;

const identifiers = {
  headerTableBytes: 0x1,
  concurrentStreams: 0x3,
  initialWindowBytes: 0x4,
  frameBytes: 0x5,
  headerListBytes: 0x6,
} as const;
const [enablePush, enableConnectProtocol] = [0x2, 0x8];
const keys = new Map(Object.entries(identifiers).map(([key, id]) => [id as number, key as keyof Settings]));

/** The identifiers and values to send for `changed`. Push is refused by whoever could be pushed to (§8.4). */
export function settingsPairs(changed: Partial<Settings>, refusePush: boolean): number[] {
  const pairs = refusePush ? [enablePush, 0] : [];
  for (const [id, key] of keys) {
    const value = changed[key];
    if (value !== undefined && Number.isFinite(value)) pairs.push(id, value);
  }
  return pairs;
}

/** The settings that result when a peer in the given role sends the payload from `start` to `end`. */
export function applySettings(
  before: Settings,
  payload: { readonly bytes: Buffer; readonly start: number; readonly end: number; readonly fromServer: boolean },
): Settings {
  const { bytes, start, end, fromServer } = payload;
  const after: { -readonly [K in keyof Settings]: number } = { ...before };
  for (let at = start; at < end; at += 6) {
    const id = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    const value = uint32(bytes, at + 2) >>> 0;
    const key = keys.get(id);
    check(id, value, fromServer);
    if (key !== undefined) after[key] = value;
  }
  return after;
}

function check(id: number, value: number, fromServer: boolean): void {
  const wrong = (code: number) => new ConnectionError(code, `setting ${id} is ${value}`);
  switch (id) {
    case enablePush:
      if (value > (fromServer ? 0 : 1)) throw wrong(ErrorCode.protocolError);
      return;
    case enableConnectProtocol:
      if (value > 1) throw wrong(ErrorCode.protocolError);
      return;
    case identifiers.initialWindowBytes:
      if (value > maxWindowBytes) throw wrong(ErrorCode.flowControlError);
      return;
    case identifiers.frameBytes:
      if (value < 16_384 || value > maxFrameBytes) throw wrong(ErrorCode.protocolError);
  }
}
