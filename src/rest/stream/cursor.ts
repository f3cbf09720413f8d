import {
  type DescField,
  type DescMessage,
  type DescMethod,
  getOption,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type FieldPolicy, field as fieldOption } from "../../../gen/heddle/policy/v1/policy_pb.ts";
import { isLong } from "../fields.ts";
import { badField } from "../refusal.ts";
import { RuleError } from "../routes/binding.ts";

/** How a stream that broke off goes on where it was: by the fields that its contract names for that. */
export interface Cursor {
  /** The id of a message's event; `undefined` for one that has none. */
  idOf(message: Message): string | undefined;
  /** Puts the id that was seen last into a request. Does nothing where the contract names no field for it. */
  resume(message: Message, lastEventId: string): void;
}

type Path = readonly DescField[];

/**
 * The cursor of a server stream: `event_id` in its responses, `resume_after` in its request, both options of the field.
 * Throws a RuleError when they are on fields that cannot be one, or on two.
 */
export function cursorOf(method: DescMethod): Cursor | undefined {
  if (method.methodKind !== "server_streaming") return undefined;
  const id = theOne(method, "event_id", pathsTo(method.output, "eventId"));
  const after = theOne(method, "resume_after", topLevel(method.input, "resumeAfter"));
  const [last] = after ?? [];
  if (id === undefined) {
    if (last === undefined) return undefined;
    throw new RuleError(method, `resume_after is on "${last.name}", but no field of its responses is an event_id`);
  }
  const idField = id.at(-1);
  if (last !== undefined && isText(idField) && !isText(last)) {
    throw new RuleError(
      method,
      `resume_after is on "${last.name}", an integer, but event_id on "${named(id)}", a string`,
    );
  }
  return { idOf: (message) => idAt(method.output, message, id), resume: resuming(method.input, last) };
}

/** The paths to all fields below the message that have the option, through messages of which there is one. */
function pathsTo(desc: DescMessage, option: keyof FieldPolicy, above: Path = []): Path[] {
  return desc.fields.flatMap((field) => {
    const path = [...above, field];
    if (hasPolicy(field, option)) return [path];
    const isLoop = above.some(({ parent }) => parent === field.message);
    return field.fieldKind === "message" && !isLoop && field.message !== desc
      ? pathsTo(field.message, option, path)
      : [];
  });
}

function topLevel(desc: DescMessage, option: keyof FieldPolicy): Path[] {
  return desc.fields.filter((field) => hasPolicy(field, option)).map((field) => [field]);
}

function hasPolicy(field: DescField, option: keyof FieldPolicy): boolean {
  return getOption(field, fieldOption)[option] === true;
}

function theOne(method: DescMethod, option: string, [path, ...others]: readonly Path[]): Path | undefined {
  if (path === undefined) return undefined;
  if (others.length > 0) {
    const all = [path, ...others].map((each) => `"${named(each)}"`).join(" and ");
    throw new RuleError(method, `${option} is on ${all}; there may be one`);
  }
  const field = path.at(-1);
  if (field?.fieldKind !== "scalar" || unfit.has(field.scalar)) {
    throw new RuleError(method, `${option} is on "${named(path)}", which is neither an integer nor a string`);
  }
  return path;
}

const unfit = new Set([ScalarType.BOOL, ScalarType.BYTES, ScalarType.DOUBLE, ScalarType.FLOAT]);

function named(path: Path): string {
  return path.map(({ name }) => name).join(".");
}

function isText(field: DescField | undefined): boolean {
  return field?.scalar === ScalarType.STRING;
}

function idAt(desc: DescMessage, message: Message, path: Path): string | undefined {
  let at: ReflectMessage = reflect(desc, message);
  for (const field of path.slice(0, -1)) {
    if (field.fieldKind !== "message" || !at.isSet(field)) return undefined;
    at = at.get(field);
  }
  const last = path.at(-1);
  const id = last === undefined ? "" : String(at.get(last));
  return id === "" || unwritable.test(id) ? undefined : id;
}

/** What would end the line that the id stands on, or make browsers ignore it. */
const unwritable = /[\0\r\n]/;

function resuming(desc: DescMessage, field: DescField | undefined): Cursor["resume"] {
  if (field === undefined) return () => {};
  return (message, lastEventId) => {
    try {
      reflect(desc, message).set(field, idValue(field, lastEventId));
    } catch {
      const what = `is "${lastEventId.slice(0, 100)}", which is no id of this stream's events; without it the stream begins anew`;
      throw badField("Last-Event-ID", what);
    }
  };
}

/** A value that may be out of the field's range, which setting it finds; throws for text that is no integer. */
function idValue({ scalar }: DescField, id: string): string | number | bigint {
  if (scalar === ScalarType.STRING) return id;
  if (!/^-?[0-9]{1,20}$/.test(id)) throw new RangeError("no integer");
  return scalar !== undefined && isLong(scalar) ? BigInt(id) : Number(id);
}
