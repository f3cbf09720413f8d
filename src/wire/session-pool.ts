import type { Engine, Session, SessionOptions } from "./engine.ts";
import type { Attempt, Send } from "./grpc/rpc.ts";

const secure = "https://";

/**
 * The sessions of a mesh: one an address, shared by every service there. An address is "host:port", over TLS with
 * "https://" before it.
 */
export class SessionPool implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #options: SessionOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #users = new Map<string, number>();
  /** Sessions that finish what they carry. */
  readonly #retired = new Set<Session>();

  constructor(engine: Engine, options: SessionOptions = {}) {
    this.#engine = engine;
    this.#options = options;
  }

  /** Sends an attempt over the session to the address, which opens if there is none yet. */
  send(address: string, attempt: Attempt): ReturnType<Send> {
    return this.#sessionTo(address).send(attempt);
  }

  /** Says that an address is in use, and answers the session to it; each use is ended by one `release`. */
  retain(address: string): Session {
    this.#users.set(address, (this.#users.get(address) ?? 0) + 1);
    return this.#sessionTo(address);
  }

  /** Ends a use. After the last one the session finishes what it carries and closes. */
  release(address: string): void {
    const left = (this.#users.get(address) ?? 1) - 1;
    if (left > 0) {
      this.#users.set(address, left);
      return;
    }
    this.#users.delete(address);
    const session = this.#sessions.get(address);
    this.#sessions.delete(address);
    if (session !== undefined) void this.#retire(session);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sessions = [...this.#sessions.values(), ...this.#retired];
    this.#sessions.clear();
    await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()));
  }

  async #retire(session: Session): Promise<void> {
    this.#retired.add(session);
    await session.retire();
    this.#retired.delete(session);
  }

  #connect(address: string): Session {
    const { tls, ...plain } = this.#options;
    if (!address.startsWith(secure)) return this.#engine.connect(address, plain);
    return this.#engine.connect(address.slice(secure.length), { ...plain, tls: tls ?? {} });
  }

  #sessionTo(address: string): Session {
    const known = this.#sessions.get(address);
    if (known !== undefined) return known;
    const made = this.#connect(address);
    this.#sessions.set(address, made);
    return made;
  }
}
