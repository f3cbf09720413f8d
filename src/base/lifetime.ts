/** Who wants to hear that something is not wanted any more. */
export interface CancelListener {
  /** Called once, with the reason. */
  canceled(reason: unknown): void;
}

/** Called when something has ended: with nothing if it ended well, else with why. */
export type EndListener = (reason?: unknown) => void;

/**
 * How long something is wanted: it may be canceled, and it ends once. Does for a call what an AbortController and a
 * list of callbacks would, but costs a call nothing that nobody asks for: the signal is made when it is first read, and
 * nothing is thrown about when a call ends well.
 */
export class Lifetime implements CancelListener {
  #aborted = false;
  #reason: unknown;
  #over = false;
  #listener: CancelListener | undefined;
  #others: Set<CancelListener> | undefined;
  #endListener: EndListener | undefined;
  #otherEndListeners: EndListener[] | undefined;
  #controller: AbortController | undefined;

  /** Whether it was canceled, or has ended: nobody wants anything done for it any more. */
  get aborted(): boolean {
    return this.#aborted;
  }

  /** Why it was canceled. */
  get reason(): unknown {
    return this.#reason;
  }

  /** The same for whoever wants an AbortSignal. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      (this.#controller.signal as Owned)[owner] = this;
      if (this.#aborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Tells everyone who listens that it is not wanted any more. Once; later calls do nothing. */
  cancel(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const first = this.#listener;
    const others = this.#others;
    this.#listener = this.#others = undefined;
    this.#controller?.abort(reason);
    first?.canceled(reason);
    if (others !== undefined) for (const listener of others) listener.canceled(reason);
  }

  /** Tells `listener` when it is canceled: at once, if it was already. */
  onCancel(listener: CancelListener): void {
    if (this.#aborted) listener.canceled(this.#reason);
    else if (this.#listener === undefined) this.#listener = listener;
    else {
      this.#others ??= new Set();
      this.#others.add(listener);
    }
  }

  /** Is canceled when `other` is, until it has ended itself. */
  follow(other: Lifetime): void {
    other.onCancel(this);
    this.onEnd(() => other.offCancel(this));
  }

  /** Is canceled when the signal aborts, until it has ended itself. */
  heed(signal: AbortSignal): void {
    if (signal.aborted) return this.cancel(signal.reason);
    const owned = (signal as Owned)[owner];
    if (owned !== undefined) return this.follow(owned); // the same, for less than a listener costs
    const leave = () => this.cancel(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    this.onEnd(() => signal.removeEventListener("abort", leave));
  }

  /** The same as `cancel`: what it follows has been. */
  canceled(reason: unknown): void {
    this.cancel(reason);
  }

  /** Tells `listener` nothing any more. */
  offCancel(listener: CancelListener): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#others?.delete(listener);
  }

  /** It has ended, well or with a reason: tells those who asked, once. What was made on its behalf is not wanted any more. */
  end(reason?: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#endListener?.(reason);
    if (this.#otherEndListeners !== undefined) for (const listener of this.#otherEndListeners) listener(reason);
    this.cancel(ended);
  }

  /** Calls `listener` when it has ended. */
  onEnd(listener: EndListener): void {
    if (this.#endListener === undefined) this.#endListener = listener;
    else {
      this.#otherEndListeners ??= [];
      this.#otherEndListeners.push(listener);
    }
  }
}

/** Whose signal it is. */
const owner = Symbol("owner");

interface Owned extends AbortSignal {
  [owner]?: Lifetime;
}

/** The reason of what ended in the usual way. One for all: an error of its own, with a stack, would cost each call more than the rest. */
const ended = Object.freeze(new Error("it has ended"));
