/** Tells those who follow an order that it may have changed. What comes from other replicas is not told here. */
export class OrderChanges {
  readonly #followers = new Map<string, Set<() => void>>();

  /** Says that an order has changed, after its unit was written. */
  publish(id: string): void {
    for (const follower of this.#followers.get(id) ?? []) follower();
  }

  /** Calls `follower` at each change of the order, until the function returned is called. */
  subscribe(id: string, follower: () => void): () => void {
    const followers = this.#followers.get(id) ?? new Set();
    this.#followers.set(id, followers.add(follower));
    return () => {
      followers.delete(follower);
      if (followers.size === 0 && this.#followers.get(id) === followers) this.#followers.delete(id);
    };
  }

  /** How many orders are followed: for tests that nothing is left behind. */
  get followed(): number {
    return this.#followers.size;
  }
}
