import { type Exit, Program, type ProgramOptions } from "./program.ts";

/** Which program runs where. */
export interface ReplicaOptions extends Pick<ProgramOptions, "file" | "env"> {
  readonly part: string;
  readonly port: number;
  readonly adminPort: number;
}

const host = "127.0.0.1";

/** A program at its place: it may live there several times, one life after the other. */
export class Replica {
  readonly part: string;
  readonly port: number;
  /** "host:port" of what it serves. */
  readonly address: string;
  /** "host:port" of its pages for machines. */
  readonly adminAddress: string;
  readonly #options: ReplicaOptions;
  readonly #lives: Program[] = [];

  constructor(options: ReplicaOptions) {
    this.part = options.part;
    this.port = options.port;
    this.address = `${host}:${options.port}`;
    this.adminAddress = `${host}:${options.adminPort}`;
    this.#options = options;
  }

  get name(): string {
    return `${this.part} :${this.port}`;
  }

  /** What all its lives have written. */
  get output(): string {
    return this.#lives.map((life) => life.output).join("");
  }

  /** Starts it; resolves when its page for machines says that it is ready. */
  async start(): Promise<void> {
    const { file, port, adminPort, env } = this.#options;
    const places = { HOST: host, PORT: String(port), ADMIN_PORT: String(adminPort) };
    const life = new Program({ name: this.name, file, env: { ...env, ...places } });
    this.#lives.push(life);
    await life.answers(`http://${this.adminAddress}/readyz`);
  }

  /** Asks it to stop, with SIGTERM; resolves when it has ended. */
  terminate(): Promise<Exit> {
    return this.#life.end("SIGTERM");
  }

  /** Ends it at once, with SIGKILL; resolves when it has ended. */
  kill(): Promise<Exit> {
    return this.#life.end("SIGKILL");
  }

  /** Stops its time, with SIGSTOP, and lets it go on, with SIGCONT: it has everything open and answers nobody. */
  pause(): Disposable {
    const life = this.#life;
    life.signal("SIGSTOP");
    return { [Symbol.dispose]: () => life.signal("SIGCONT") };
  }

  get #life(): Program {
    const life = this.#lives.at(-1);
    if (life === undefined) throw new Error(`${this.name} was never started`);
    return life;
  }
}
