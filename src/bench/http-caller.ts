import { connect, type Socket } from "node:net";
import { Lap, type Load, type Measured } from "./load.ts";

/** What is asked over HTTP/1.1, each time the same. */
export interface HttpAsked {
  /** "GET /v1/orders". */
  readonly line: string;
  readonly body?: string;
}

/**
 * Loads a server over HTTP/1.1 with next to no work of its own: as many connections as requests in flight, the same
 * bytes each time; of an answer it reads the status and where it ends.
 */
export class HttpCaller {
  readonly #port: number;
  readonly #request: Buffer;
  readonly #connections: HttpConnection[] = [];

  constructor(port: number, { line, body }: HttpAsked) {
    this.#port = port;
    const content =
      body === undefined ? "" : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    const head = `${line} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: */*\r\n${content}\r\n`;
    this.#request = Buffer.from(head + (body ?? ""));
  }

  /** Makes requests until the time is over, and waits for the last ones. */
  async run({ ms, inFlight }: Load): Promise<Measured> {
    while (this.#connections.length < inFlight) this.#connections.push(new HttpConnection(this.#port, this.#request));
    const lap = new Lap(ms);
    await Promise.all(this.#connections.slice(0, inFlight).map((connection) => connection.run(lap)));
    return lap.measured();
  }
}

/** One connection that is kept, with one request at a time. */
class HttpConnection {
  readonly #socket: Socket;
  readonly #request: Buffer;
  #answer = "";
  #startedAt = 0;
  #lap = new Lap(0);
  #done = Promise.withResolvers<void>();

  constructor(port: number, request: Buffer) {
    this.#request = request;
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true }).setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#read(text));
    this.#socket.on("error", (error) => this.#done.reject(error));
    this.#socket.on("close", () => this.#done.reject(new Error("the server has closed a connection")));
  }

  run(lap: Lap): Promise<void> {
    this.#lap = lap;
    this.#done = Promise.withResolvers();
    this.#ask();
    return this.#done.promise;
  }

  #ask(): void {
    if (this.#socket.destroyed) return this.#done.reject(new Error("the server has closed a connection"));
    this.#startedAt = performance.now();
    this.#socket.write(this.#request);
  }

  #read(text: string): void {
    this.#answer += text;
    const bytes = wholeBody(this.#answer);
    if (bytes === undefined) return;
    if (!this.#answer.startsWith("HTTP/1.1 20")) return this.#done.reject(new Error(this.#answer));
    this.#answer = "";
    this.#lap.bytes += bytes;
    if (this.#lap.ended(this.#startedAt)) this.#ask();
    else this.#done.resolve();
  }
}

/** How long the body is once all of it is there; as it lies on the wire where it comes in chunks. */
function wholeBody(answer: string): number | undefined {
  const headEnd = answer.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const bytes = answer.length - headEnd - 4;
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(answer.slice(0, headEnd + 2))?.[1];
  const isWhole = length === undefined ? answer.endsWith("\r\n0\r\n\r\n") : bytes >= Number(length);
  return isWhole ? bytes : undefined;
}
