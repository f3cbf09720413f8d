import { grpcMessages } from "./grpc-messages.ts";
import { hpack, huffman } from "./hpack.ts";
import { http2Client, http2Server } from "./http2-connection.ts";
import { http2Frames } from "./http2-frames.ts";
import type { Target } from "./target.ts";

/** Everything that is fuzzed; the ones with the most behind them first. */
export const targets: readonly Target[] = [http2Server, http2Client, http2Frames, hpack, huffman, grpcMessages];
