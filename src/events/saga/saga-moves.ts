import type { SagaState, SagaTransition } from "./saga-entity.ts";

/** Moves remembered of one saga: the first, and the last ones. */
const maxHistory = 50;

/** Where a saga stands. */
export interface Standing {
  readonly state: SagaState;
  readonly step: string;
}

/** What is asked of a saga. */
export type Wish =
  | { readonly kind: "move"; readonly from: string; readonly to: string }
  | { readonly kind: "complete" }
  | { readonly kind: "compensate"; readonly to: string; readonly evenCompleted: boolean }
  | { readonly kind: "end-compensated" }
  | { readonly kind: "stick" };

const ended: ReadonlySet<SagaState> = new Set(["completed", "compensated"]);

/** Whether a saga in this state goes nowhere any more by itself. */
export function hasEnded(state: SagaState): boolean {
  return ended.has(state);
}

/**
 * Where a saga comes to by a wish, or `undefined` where the wish changes nothing: because the move has been made before,
 * because it comes too late, or because the saga has ended. `takesBack` says which steps take back. One that is stuck
 * goes on from its step as if it were not.
 */
export function nextStanding(
  { state, step }: Standing,
  wish: Wish,
  takesBack: (step: string) => boolean,
): Standing | undefined {
  if (wish.kind === "compensate" && wish.evenCompleted && state === "completed") {
    return { state: "compensating", step: wish.to };
  }
  if (hasEnded(state)) return undefined;
  if (wish.kind === "end-compensated") return { state: "compensated", step };
  if (wish.kind === "stick") return state === "stuck" ? undefined : { state: "stuck", step };
  if (wish.kind === "move") return step === wish.from ? standingAt(wish.to, takesBack) : undefined;
  if (takesBack(step)) return undefined;
  return wish.kind === "complete" ? { state: "completed", step } : { state: "compensating", step: wish.to };
}

/** A saga that is at a step, and on its way: forth, or back where the step takes back. */
export function standingAt(step: string, takesBack: (step: string) => boolean): Standing {
  return { state: takesBack(step) ? "compensating" : "running", step };
}

/** The history with one more move; in the middle of a long one there is a gap. */
export function remember(history: readonly SagaTransition[], move: SagaTransition): readonly SagaTransition[] {
  if (history.length < maxHistory) return [...history, move];
  return [...history.slice(0, 1), ...history.slice(2 - maxHistory), move];
}
