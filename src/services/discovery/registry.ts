import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Instance, Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { keepsStatus, notChecked, type Registration } from "./registration.ts";
import { type Selection, selects } from "./selection.ts";

/** A registration as it stands. Never changed in place: what changes is a new entry under the same id. */
export interface Entry extends Registration {
  /** Tells one registration from the next one under the same id, so that a late check does not hit the wrong one. */
  readonly serial: number;
  /** When its lease lapsed, in milliseconds since the epoch; such an entry is shown, never renewed or checked. */
  readonly lapsedAt?: number;
}

/** What became of one entry: new without `before`, gone without `after`. */
export interface Step {
  readonly before?: Entry;
  readonly after?: Entry;
}

/** Everything that happened at once, under one number. */
export interface Change {
  readonly previousVersion: bigint;
  readonly version: bigint;
  readonly steps: readonly Step[];
}

/** What a check found out. */
export interface Verdict {
  readonly status: Status;
  /** Why, for people; the same words for the same cause, since other words count as a change. */
  readonly reason: string;
}

/** What a registry begins with. */
export interface RegistryOptions {
  /** The version before the first change. */
  readonly version?: bigint;
  /** What was known before a restart. */
  readonly entries?: readonly Omit<Entry, "serial">[];
}

/**
 * Who is registered, and how each fares: a model in memory that is told the time and reaches for nothing.
 * Each change raises `version` by one and is told to every listener before the changing call returns.
 */
export class Registry {
  #version: bigint;
  #serial = 0;
  #order: readonly string[] | undefined;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(change: Change) => void>();

  constructor({ version = 0n, entries = [] }: RegistryOptions = {}) {
    this.#version = version;
    for (const entry of entries) this.#entries.set(entry.instance.id, { ...entry, serial: ++this.#serial });
  }

  /** Counts changes; never goes back. */
  get version(): bigint {
    return this.#version;
  }

  /** How many listen: for tests that nothing is left behind. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** The entry of an id, lapsed or not. */
  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** What is asked for, by name and id. */
  select(selection: Selection): readonly Entry[] {
    return this.all().filter((entry) => selects(selection, entry));
  }

  /** Every entry, by name and id. */
  all(): readonly Entry[] {
    this.#order ??= [...this.#entries.values()].sort(byNameAndId).map(({ instance }) => instance.id);
    return this.#order.flatMap((id) => this.#entries.get(id) ?? []);
  }

  /** Entries under other ids at the same address: what a process that has died left behind for its successor. */
  ghosts({ id, host, port }: Instance): readonly Entry[] {
    const there = ({ instance: other }: Entry) => other.id !== id && other.host === host && other.port === port;
    return this.all().filter(there);
  }

  /**
   * Takes a registration in, in the place of the one under its id and of any other at its address. A registration that
   * says again what was known keeps its status, so that a client that came back is not missed for the length of a check.
   */
  put(registration: Registration, at: number): Entry {
    const before = this.#entries.get(registration.instance.id);
    const after: Entry = { ...this.preview(registration, at), serial: ++this.#serial };
    const gone = this.ghosts(after.instance).map((ghost) => ({ before: ghost }));
    this.#apply([...gone, { ...(before && { before }), after }]);
    return after;
  }

  /** The entry that `put` would make now: to be written before it is made. */
  preview(registration: Registration, at: number): Omit<Entry, "serial"> {
    const before = this.#entries.get(registration.instance.id);
    const known = before && before.lapsedAt === undefined && keepsStatus(before, registration);
    const { status, statusReason, lastCheckTime } = known ? before.instance : notChecked;
    const instance = { ...registration.instance, registerTime: timestampFromMs(Math.floor(at)) };
    return { ...registration, instance: withStatus(instance, { status, statusReason, lastCheckTime }) };
  }

  /** Takes an entry out. */
  remove(id: string): Entry | undefined {
    const before = this.#entries.get(id);
    if (before) this.#apply([{ before }]);
    return before;
  }

  /** Notes what a check found; tells it on only if it is news. A check of an earlier registration is forgotten. */
  report({ instance: { id }, serial }: Entry, { status, reason }: Verdict, at: number): void {
    const before = this.#entries.get(id);
    if (before?.serial !== serial || before.lapsedAt !== undefined) return;
    const lastCheckTime = timestampFromMs(Math.floor(at));
    const after = { ...before, instance: withStatus(before.instance, { status, statusReason: reason, lastCheckTime }) };
    if (before.instance.status === status && before.instance.statusReason === reason) this.#entries.set(id, after);
    else this.#apply([{ before, after }]);
  }

  /** Ends a lease that was not renewed: the entry is unavailable from now on, and has to be registered again. */
  lapse(id: string, at: number): void {
    const before = this.#entries.get(id);
    if (!before || before.lapsedAt !== undefined) return;
    const { lastCheckTime } = before.instance;
    const lapsed = { status: Status.UNAVAILABLE, statusReason: "it stopped renewing its lease", lastCheckTime };
    this.#apply([{ before, after: { ...before, lapsedAt: at, instance: withStatus(before.instance, lapsed) } }]);
  }

  /** Calls the listener with each change, until the returned function is called. */
  subscribe(listener: (change: Change) => void): () => void {
    const own = (change: Change) => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  #apply(steps: readonly Step[]): void {
    for (const { before, after } of steps) {
      if (after) this.#entries.set(after.instance.id, after);
      else if (before) this.#entries.delete(before.instance.id);
    }
    if (steps.some(({ before, after }) => before?.instance.name !== after?.instance.name)) this.#order = undefined;
    const previousVersion = this.#version;
    const change = { previousVersion, version: ++this.#version, steps };
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** What discovery alone says of an instance. */
interface Said {
  readonly status: Status;
  readonly statusReason: string;
  readonly lastCheckTime: Timestamp | undefined;
}

function withStatus(instance: Instance, { status, statusReason, lastCheckTime }: Said): Instance {
  return { ...instance, status, statusReason, ...(lastCheckTime && { lastCheckTime }) };
}

function byNameAndId({ instance: a }: Entry, { instance: b }: Entry): number {
  return compare(a.name, b.name) || compare(a.id, b.id);
}

/** Orders text by its code units: the same on every machine, and what page tokens rely on. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
