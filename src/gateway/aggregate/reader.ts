import type { JsonValue } from "@bufbuild/protobuf";
import type { Given, KnownContracts, ResolvedPart } from "./aggregate.ts";
import { type Expression, type Start, valuesAt, type Walk, walk } from "./expression.ts";
import { shownOf } from "./shown.ts";

/** Reads the values of an expression; `each` is the one of several that the request is for. */
export interface Reader {
  values(given: Given, each?: JsonValue): readonly JsonValue[];
  /** Whether it may be more than one. */
  readonly several: boolean;
  /** Whether the values are pieces of a URL, whose type is whatever field they are put into. */
  readonly isText: boolean;
  /** What `each` leads on from. */
  readonly end: Walk | undefined;
}

/** What an expression may be about. */
export interface Scope {
  readonly known: KnownContracts;
  readonly each: Reader | undefined;
}

/** Plans how an expression is read. Throws an Error when it names what is not there. */
export function readerOf(expression: Expression, { known, each }: Scope): Reader {
  switch (expression.kind) {
    case "literal":
      return { values: () => [expression.value], several: false, isText: false, end: undefined };
    case "path":
      return textReader(({ path }) => path[expression.name]);
    case "query":
      return textReader(({ query }) => query[expression.name]);
    case "each": {
      if (each?.end === undefined) throw new Error('there is nothing that "each" could stand for');
      const { names, several, desc } = walk({ desc: each.end.desc, several: false }, expression.fields);
      const end: Walk = { names, several, desc };
      return { values: (_, value) => valuesAt(value, names), several, isText: false, end };
    }
    case "part":
      return partReader(expression.part, expression.fields, known);
  }
}

function textReader(textOf: (given: Given) => string | undefined): Reader {
  const values = (given: Given) => {
    const text = textOf(given);
    return text === undefined ? [] : [text];
  };
  return { values, several: false, isText: true, end: undefined };
}

function partReader(name: string, fields: readonly string[], known: KnownContracts): Reader {
  const resolved = known.part(name);
  if (resolved === undefined) throw new Error(`part "${name}" cannot be called yet`);
  const end = walk(startOf(resolved), fields);
  const values = ({ answers }: Given) => {
    const arrived = answers.get(name);
    return arrived === undefined ? [] : valuesAt(shownOf(resolved, arrived), end.names);
  };
  return { values, several: end.several, isText: false, end };
}

function startOf({ part, call: { method, show } }: ResolvedPart): Start {
  return { desc: show ?? method.output, several: part.many !== undefined || show?.fieldKind === "list" };
}
