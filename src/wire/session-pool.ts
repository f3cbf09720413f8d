import type { Engine, Session, SessionOptions, SessionState } from "./engine.ts";
import type { Attempt, Send } from "./grpc/rpc.ts";

/** Hears how things stand with an address now. */
export type PoolListener = (address: string, state: SessionState) => void;

/** One that is in the pool, and the end of listening to it. */
interface Pooled {
  readonly session: Session;
  forget(): void;
}

/** The sessions of a mesh: one an address, shared by every service there. */
export class SessionPool implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #options: SessionOptions;
  readonly #sessions = new Map<string, Pooled>();
  readonly #users = new Map<string, number>();
  /** Sessions that finish what they carry. */
  readonly #retired = new Set<Session>();
  readonly #listeners = new Set<PoolListener>();

  constructor(engine: Engine, options: SessionOptions = {}) {
    this.#engine = engine;
    this.#options = options;
  }

  /** Sends an attempt over the session to the address, which opens if there is none yet. */
  send(address: string, attempt: Attempt): ReturnType<Send> {
    return this.#sessionTo(address).send(attempt);
  }

  /** How things stand with an address: `idle` where nothing was ever sent. */
  stateOf(address: string): SessionState {
    return this.#sessions.get(address)?.session.state ?? "idle";
  }

  /** Calls `listener` after each change of that, maybe from within `send`, until the returned function is called. */
  onChange(listener: PoolListener): () => void {
    const own: PoolListener = (address, state) => listener(address, state); // so that the same function may listen twice
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Says that an address is in use; each use is ended by one `release`. */
  retain(address: string): void {
    this.#users.set(address, (this.#users.get(address) ?? 0) + 1);
  }

  /** Ends a use. After the last one the session finishes what it carries and closes. */
  release(address: string): void {
    const left = (this.#users.get(address) ?? 1) - 1;
    if (left > 0) {
      this.#users.set(address, left);
      return;
    }
    this.#users.delete(address);
    const pooled = this.#sessions.get(address);
    if (pooled === undefined) return;
    this.#sessions.delete(address);
    pooled.forget();
    if (pooled.session.state !== "idle") this.#tell(address, "idle");
    void this.#retire(pooled.session);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const pooled = [...this.#sessions.values()];
    const sessions = [...pooled.map(({ session }) => session), ...this.#retired];
    for (const { forget } of pooled) forget();
    this.#sessions.clear();
    await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()));
  }

  async #retire(session: Session): Promise<void> {
    this.#retired.add(session);
    await session.retire();
    this.#retired.delete(session);
  }

  #sessionTo(address: string): Session {
    const known = this.#sessions.get(address);
    if (known !== undefined) return known.session;
    const session = this.#engine.connect(address, this.#options);
    this.#sessions.set(address, { session, forget: session.onChange((state) => this.#tell(address, state)) });
    return session;
  }

  #tell(address: string, state: SessionState): void {
    for (const listener of [...this.#listeners]) listener(address, state);
  }
}
