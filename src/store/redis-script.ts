import { type CommandParser, defineScript } from "@redis/client";

/** What came of asking for a token. */
export interface RedisDraw {
  /** How long until there is one, in milliseconds; 0, one was taken. */
  readonly waitMs: number;
  /** How long until the bucket is full, in milliseconds. */
  readonly fullInMs: number;
}

/** What one run of the script is about, in microseconds: the time of a token, and of as many as a full bucket holds. */
export interface BucketArguments {
  readonly key: string;
  readonly tokenUs: number;
  readonly capacityUs: number;
}

/**
 * Takes a token from the bucket of a key, all in one step of Redis, by Redis' own time: gateways need not agree on theirs.
 * Kept is when the bucket will be full, in microseconds; it lapses by itself then. Answers how long to wait for a token
 * (0, one was taken) and how long until the bucket is full.
 */
const source = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local token = tonumber(ARGV[1])
local capacity = tonumber(ARGV[2])
local kept = tonumber(redis.call('GET', KEYS[1]) or '0')
local fullIn = math.min(capacity, math.max(0, kept - now))
local wait = fullIn + token - capacity
if wait > 0 then return { wait, fullIn } end
fullIn = fullIn + token
redis.call('SET', KEYS[1], string.format('%.0f', now + fullIn), 'PX', math.ceil(fullIn / 1000))
return { 0, fullIn }
`;

/** The same as a command of the client: sent by its hash, and whole only to a server that has not seen it yet. */
export const drawScript = defineScript({
  SCRIPT: source,
  NUMBER_OF_KEYS: 1,
  IS_READ_ONLY: false,
  parseCommand(parser: CommandParser, { key, tokenUs, capacityUs }: BucketArguments) {
    parser.pushKey(key);
    parser.push(String(tokenUs), String(capacityUs));
  },
  transformReply: (reply: unknown): RedisDraw => {
    const [waitUs, fullInUs] = reply as readonly [number, number];
    return { waitMs: waitUs / 1_000, fullInMs: fullInUs / 1_000 };
  },
});
