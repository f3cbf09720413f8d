import { connect } from "node:net";
import { setTimeout as sleep, setImmediate as soon } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { ServerReflection } from "../../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { OrderService } from "../../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../../gen/shop/user/v1/user_pb.ts";
import { preface } from "../../../http2/frame.ts";
import { defaultEngine } from "../../../wire/engines.ts";
import { grpcTransport } from "../../../wire/grpc.ts";
import type { Ledger } from "./ledger.ts";
import { brief, nobody, World } from "./world.ts";

/** Rounds of everything that a connection and a call may go through. */
export class Rounds implements AsyncDisposable {
  /** How often each thing was done, and how many calls that should have been answered were. */
  readonly tally = {
    unary: 0,
    answered: 0,
    cancelled: 0,
    late: 0,
    streams: 0,
    sessions: 0,
    gone: 0,
    cuts: 0,
    restarts: 0,
  };
  readonly #world: World;
  readonly #signal: AbortSignal;
  #round = 0;

  private constructor(world: World, signal: AbortSignal) {
    this.#world = world;
    this.#signal = signal;
  }

  /** `signal` goes with every call and never aborts: whoever listens to it has to leave again. */
  static async open(signal: AbortSignal): Promise<Rounds> {
    return new Rounds(await World.open(), signal);
  }

  async run(rounds: number): Promise<void> {
    for (let left = rounds; left > 0; left--) {
      await this.#calls(100);
      await Promise.all([this.#cancelled(12), this.#late(4), this.#streams(8)]);
      await Promise.all([this.#session(), this.#session(), this.#gone(4)]);
      const running = this.#calls(10);
      await this.#trouble(this.#round++);
      await running;
    }
  }

  /** Waits until nothing moves any more, with one connection to each server. */
  async rest(ledger: Ledger): Promise<void> {
    for (let calm = 0, before = "", left = 300; calm < 6 && left > 0; left--) {
      await this.#calls(4);
      await sleep(50);
      const { sockets, timers, listeners } = ledger.counts();
      const now = `${sockets} ${timers} ${listeners}`;
      calm = now === before && this.#world.isWired ? calm + 1 : 0;
      before = now;
    }
  }

  /** Waits for what was closed to be gone: a moment, not for ever. */
  async silence(ledger: Ledger, { sockets, timers }: { sockets: number; timers: number }): Promise<void> {
    for (let left = 50; left > 0; left--) {
      const now = ledger.counts();
      if (now.sockets <= sockets && now.timers <= timers) return;
      await sleep(100);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#world[Symbol.asyncDispose]();
  }

  /** Calls that are answered, unless a server or a wire goes away under them. */
  async #calls(count: number): Promise<void> {
    const users = this.#world.mesh.client(UserService);
    const all = Array.from({ length: count }, (_, i) => users.getUser({ id: BigInt(i + 1) }, { signal: this.#signal }));
    const ends = await Promise.allSettled(all);
    this.tally.unary += count;
    this.tally.answered += ends.filter(({ status }) => status === "fulfilled").length;
  }

  /** Calls whose caller leaves: before they are sent, at once, or while the server works. */
  async #cancelled(count: number): Promise<void> {
    const users = this.#world.mesh.client(UserService);
    const controllers = Array.from({ length: count }, () => new AbortController());
    const all = controllers.map(({ signal }) => users.getUser({ id: nobody }, { signal }));
    const ends = Promise.allSettled(all);
    for (const [i, controller] of controllers.entries()) {
      if (i % 3 === 1) await soon();
      if (i % 3 === 2) await sleep(1);
      controller.abort();
    }
    await ends;
    this.tally.cancelled += count;
  }

  /** Calls whose time is up. */
  async #late(count: number): Promise<void> {
    const users = this.#world.mesh.client(UserService);
    const options = { signal: this.#signal, timeoutMs: 5 };
    await Promise.allSettled(Array.from({ length: count }, () => users.getUser({ id: nobody }, options)));
    this.tally.late += count;
  }

  /** Streams that are read to their end, or left half way: by a signal in the middle, or after the loop. */
  async #streams(count: number): Promise<void> {
    const orders = this.#world.mesh.client(OrderService);
    const all = Array.from({ length: count }, async (_, i) => {
      const controller = new AbortController();
      const toItsEnd = i % 3 === 0;
      const [id, signal] = toItsEnd ? [brief, this.#signal] : ["1", controller.signal];
      let messages = 0;
      for await (const _message of orders.watchOrder({ id }, { signal })) {
        if (++messages < 3 || toItsEnd) continue;
        if (i % 3 === 1) break;
        controller.abort();
      }
      controller.abort();
    });
    await Promise.allSettled(all);
    this.tally.streams += count;
  }

  /** A session of its own, closed at rest or with a call and a stream on it. */
  async #session(): Promise<void> {
    const session = defaultEngine.connect(this.#world.addresses[this.#round % 2] as string);
    const transport = grpcTransport(session);
    const users = createClient(UserService, transport);
    await Promise.allSettled([users.getUser({ id: 1n }), users.getUser({ id: 2n }, { signal: this.#signal })]);
    const waiting = users.getUser({ id: nobody }, { signal: this.#signal }).catch(() => {});
    const talking = talk(createClient(ServerReflection, transport));
    await talking;
    if (this.#round % 3 === 0) void session.retire();
    await session[Symbol.asyncDispose]();
    await waiting;
    this.tally.sessions++;
  }

  /** Clients that are gone before they have said what they wanted. */
  async #gone(count: number): Promise<void> {
    const [host = "", port = ""] = (this.#world.addresses[0] as string).split(":");
    const all = Array.from({ length: count }, (_, i) => {
      const socket = connect(Number(port), host, () => {
        socket.write(preface.subarray(0, i === 0 ? 10 : undefined));
        if (i > 1) socket.write(Buffer.from("000000040000000000000010", "hex"));
        setTimeout(() => (i % 2 ? socket.resetAndDestroy() : socket.end().destroy()), 2);
      });
      return new Promise((resolve) => socket.on("error", () => {}).on("close", resolve));
    });
    await Promise.all(all);
    this.tally.gone += count;
  }

  /** Something goes away under running calls: the wire each time, a server now and then. */
  async #trouble(round: number): Promise<void> {
    await soon();
    this.#world.cut();
    this.tally.cuts++;
    if (round % 8 !== 7) return;
    await this.#world.restart(this.tally.restarts++ % 2 === 0 ? 0 : 1);
  }
}

/** Asks, is answered, and leaves with the conversation open. */
async function talk(reflection: ReturnType<typeof createClient<typeof ServerReflection>>): Promise<void> {
  const controller = new AbortController();
  const asks = async function* () {
    yield { messageRequest: { case: "listServices", value: "" } } as const;
    await new Promise((resolve) => controller.signal.addEventListener("abort", resolve, { once: true }));
  };
  try {
    for await (const _answer of reflection.serverReflectionInfo(asks(), { signal: controller.signal })) break;
  } catch {
    // the wire may be cut
  }
  controller.abort();
}
