import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type SagaSchema, SagaState as State } from "../../../gen/heddle/saga/v1/saga_pb.ts";
import type { SagaRow, SagaState } from "./saga-entity.ts";

const states: Readonly<Record<SagaState, State>> = {
  running: State.RUNNING,
  compensating: State.COMPENSATING,
  completed: State.COMPLETED,
  compensated: State.COMPENSATED,
  stuck: State.STUCK,
};

/** The row as callers see it; with its history where that is asked for. */
export function toProto(row: SagaRow, { history = false } = {}): MessageInitShape<typeof SagaSchema> {
  const { id, name, step, reason, wakeAt } = row;
  return {
    id,
    name,
    state: states[row.state],
    step,
    reason,
    startedAt: timestampFromDate(row.startedAt),
    updatedAt: timestampFromDate(row.updatedAt),
    ...(wakeAt && { wakeTime: timestampFromDate(wakeAt) }),
    history: (history ? row.history : []).map((move) => {
      return { at: timestampFromMs(move.at), step: move.step, state: states[move.state], reason: move.reason };
    }),
  };
}

/** The states that a list shows: the one asked for or, if none is, those of sagas that have not ended. */
export function statesAskedFor(asked: State): readonly SagaState[] {
  const found = (Object.keys(states) as SagaState[]).filter((state) => states[state] === asked);
  return found.length > 0 ? found : ["running", "compensating", "stuck"];
}
