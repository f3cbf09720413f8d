import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { type Saga, SagaState } from "../../../gen/heddle/saga/v1/saga_pb.ts";
import type { Cli } from "../command.ts";
import type { Tone } from "../paint.ts";
import { spellMs } from "../spell.ts";
import { type Cell, type Column, table } from "../table.ts";

/** A saga, and whose it is. */
export interface Owned {
  readonly service: string;
  readonly saga: Saga;
}

const tones: Readonly<Partial<Record<SagaState, Tone>>> = {
  [SagaState.STUCK]: "bad",
  [SagaState.COMPENSATING]: "warn",
  [SagaState.COMPLETED]: "good",
};

/** The states that may be asked for, by what people type: "stuck". */
export const statesByName: ReadonlyMap<string, SagaState> = new Map([
  ["running", SagaState.RUNNING],
  ["compensating", SagaState.COMPENSATING],
  ["completed", SagaState.COMPLETED],
  ["compensated", SagaState.COMPENSATED],
  ["stuck", SagaState.STUCK],
]);

const names = new Map([...statesByName].map(([name, state]) => [state, name]));
const stateName = (state: SagaState) => names.get(state) ?? "unknown";

const columns: readonly Column[] = [
  { title: "id" },
  { title: "service" },
  { title: "saga" },
  { title: "state" },
  { title: "step" },
  { title: "moved", align: "right" },
  { title: "wakes", align: "right" },
  { title: "why" },
];

/** Sagas, one a line. */
export function sagaTable({ out, clock }: Cli, sagas: readonly Owned[]): string {
  const rows = sagas.map(({ service, saga }): Cell[] => {
    const { id, name, step, reason, updatedAt, wakeTime } = saga;
    const now = clock.wall();
    const moved = updatedAt ? `${spellMs(now - timestampMs(updatedAt))} ago` : "-";
    const wakes = wakeTime ? `in ${spellMs(timestampMs(wakeTime) - now)}` : "-";
    return [id, service, name, stateCell(saga.state), step, moved, wakes, reason];
  });
  return table(columns, rows, { paint: out.paint });
}

/** One saga with what it has been through. */
export function sagaStory(cli: Cli, owned: Owned): string {
  const rows = owned.saga.history.map(({ at, step, state, reason }): Cell[] => {
    return [isoOf(at), stateCell(state), step, reason];
  });
  const story = [{ title: "when" }, { title: "state" }, { title: "step" }, { title: "why" }];
  return `${sagaTable(cli, [owned])}\n\n${table(story, rows, { paint: cli.out.paint })}`;
}

/** The same for machines. */
export function sagaJson({ service, saga }: Owned) {
  const { id, name, step, reason, startedAt, updatedAt, wakeTime } = saga;
  const times = { startedAt: isoOf(startedAt), updatedAt: isoOf(updatedAt), wakeTime: isoOf(wakeTime) };
  const history = saga.history.map(({ at, state, ...move }) => {
    return { at: isoOf(at), state: stateName(state), step: move.step, reason: move.reason };
  });
  return { service, id, name, state: stateName(saga.state), step, reason, ...times, history };
}

function stateCell(state: SagaState): Cell {
  return { text: stateName(state), tone: tones[state] ?? "plain" };
}

function isoOf(time: Timestamp | undefined): string {
  return time === undefined ? "" : new Date(timestampMs(time)).toISOString();
}
