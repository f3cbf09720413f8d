import { type ContextValues, createContextKey } from "@connectrpc/connect";
import { ownValues } from "./context.ts";

/**
 * The network address that a request came from, as the socket tells it: "192.0.2.7", "2001:db8::1". A gateway behind
 * proxies that it trusts puts in its place the address that they tell of. `undefined` where there is no network.
 */
export const peerKey = createContextKey<string | undefined>(undefined, { description: "peer address" });

/** The context values of a request, of which it knows one from the start: who sent it. Made for every request, so it is little. */
export class RequestValues implements ContextValues {
  #peer: string | undefined;
  #others: ContextValues | undefined;

  constructor(peer: string | undefined) {
    this.#peer = peer;
  }

  get<T>(key: { id: symbol; defaultValue: T }): T {
    if (key.id === peerKey.id) return this.#peer as T;
    return this.#others === undefined ? key.defaultValue : this.#others.get(key);
  }

  set<T>(key: { id: symbol; defaultValue: T }, value: T): this {
    if (key.id === peerKey.id) this.#peer = value as string | undefined;
    else {
      this.#others ??= ownValues();
      this.#others.set(key, value);
    }
    return this;
  }

  delete(key: { id: symbol; defaultValue: unknown }): this {
    if (key.id === peerKey.id) this.#peer = undefined;
    else this.#others?.delete(key);
    return this;
  }
}
