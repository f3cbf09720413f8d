import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";

/** A request to open a WebSocket. An engine that can open one says so; from others the header is a header like any. */
export interface WebSocketRequest extends UniversalServerRequest {
  readonly opens: "web-socket";
}

/** The answer that opens it. Without body: what follows is between `serve` and the peer. */
export interface WebSocketAnswer extends UniversalServerResponse {
  readonly status: 101;
  readonly webSocket: WebSocketService;
}

/** What happens on a WebSocket once it is open. */
export interface WebSocketService {
  /** The one of the subprotocols that the peer offered that is spoken; `undefined` when it offered none. */
  readonly protocol: string | undefined;
  /** Has the peer until it closes it. It does not reject. */
  serve(peer: WebSocketPeer): Promise<void>;
}

/** A WebSocket as who speaks over it sees it. */
export interface WebSocketPeer {
  /** Aborts when nothing more can be said or heard, whoever ended it. */
  readonly signal: AbortSignal;
  /**
   * The next message: text, or the bytes of a binary one. Rejects when the peer has gone. A peer whose messages nobody
   * reads is held back by its socket.
   */
  read(): Promise<string | Uint8Array>;
  /** Whatever comes from now on is thrown away. */
  discard(): void;
  /** Sends a message; resolves when there is room for the next one, rejects when the peer has gone. */
  send(message: string | Uint8Array): Promise<void>;
  /** Says why, and ends it. Later calls do nothing. */
  close(code: number, reason: string): void;
}

/** Whether a WebSocket is asked for, of an engine that can open one. */
export function isWebSocketRequest(request: UniversalServerRequest): request is WebSocketRequest {
  return "opens" in request;
}

/** Whether the answer opens a WebSocket. */
export function isWebSocketAnswer(answer: UniversalServerResponse): answer is WebSocketAnswer {
  return "webSocket" in answer;
}
