import { describe, expect, test } from "vitest";
import { nextStanding, remember, type Standing, type Wish } from "./saga-moves.ts";

const takesBack = (step: string) => step === "return";
const at = (state: Standing["state"], step = "reserve"): Standing => ({ state, step });

const move: Wish = { kind: "move", from: "reserve", to: "charge" };
const complete: Wish = { kind: "complete" };
const compensate: Wish = { kind: "compensate", to: "return", evenCompleted: false };
const undo: Wish = { kind: "compensate", to: "return", evenCompleted: true };
const end: Wish = { kind: "end-compensated" };
const stick: Wish = { kind: "stick" };

describe.each<[string, Standing, Wish, Standing | undefined]>([
  ["on its way moves to the next step", at("running"), move, at("running", "charge")],
  ["that has moved does not move again", at("running", "charge"), move, undefined],
  ["on its way completes", at("running"), complete, at("completed")],
  ["on its way begins to take back", at("running"), compensate, at("compensating", "return")],
  ["taking back does not begin to again", at("compensating", "return"), compensate, undefined],
  ["taking back does not complete", at("compensating", "return"), complete, undefined],
  ["taking back does not go forth", at("compensating", "return"), move, undefined],
  ["taking back ends taken back", at("compensating", "return"), end, at("compensated", "return")],
  ["with nothing to take back ends at once", at("running"), end, at("compensated")],
  ["that waits in vain is stuck", at("running"), stick, at("stuck")],
  ["that is stuck is so once", at("stuck"), stick, undefined],
  ["stuck on its way goes on when the answer comes", at("stuck"), move, at("running", "charge")],
  ["stuck on its way completes when the answer comes", at("stuck"), complete, at("completed")],
  ["stuck on its way may be taken back", at("stuck"), compensate, at("compensating", "return")],
  ["stuck in taking back does not complete", at("stuck", "return"), complete, undefined],
  ["stuck in taking back ends when the answer comes", at("stuck", "return"), end, at("compensated", "return")],
  ["that is completed is over", at("completed"), compensate, undefined],
  ["that is completed can be undone where that is said", at("completed"), undo, at("compensating", "return")],
  ["that is completed does not get stuck", at("completed"), stick, undefined],
  ["that is taken back is over for all", at("compensated"), undo, undefined],
])("a saga", (what, from, wish, to) => {
  test(what, () => expect(nextStanding(from, wish, takesBack)).toEqual(to));
});

test("a long history keeps its first move and its last ones", () => {
  const moves = Array.from({ length: 80 }, (_, at) => ({ at, state: "running" as const, step: "a", reason: "" }));
  const history = moves.reduce(remember, [] as ReturnType<typeof remember>);
  expect(history).toHaveLength(50);
  expect(history[0]?.at).toBe(0);
  expect(history.at(1)?.at).toBe(31);
  expect(history.at(-1)?.at).toBe(79);
});
