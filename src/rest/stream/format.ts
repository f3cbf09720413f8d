import Negotiator from "negotiator";

/** How the messages of a stream are put into an answer. What it returns is written as it is; "" is not written. */
export interface StreamFormat {
  readonly contentType: string;
  /** Header fields that keep what is in between from holding the stream up. */
  readonly header: Readonly<Record<string, string>>;
  /** What the answer begins with. */
  readonly opening: string;
  /** One message as JSON text. `id` is its event's; `isFirst`, no other stands before it. */
  message(json: string, id: string | undefined, isFirst: boolean): string;
  /** The last event of a stream that failed; `json` is a google.rpc.Status. */
  failed(json: string, isFirst: boolean): string;
  /** The end of a stream that ended well. */
  ended(isFirst: boolean): string;
  /** Written when nothing has come for a while, so that nobody takes the connection for dead. */
  readonly signOfLife: string | undefined;
}

/** How long a browser waits before it asks again for a stream that broke off. */
const retryMs = 1_000;

/** One line of JSON per message. After an error the last line is `{"error": status}`. */
const ndjson: StreamFormat = {
  contentType: "application/x-ndjson",
  header: {},
  opening: "",
  message: (json) => `${json}\n`,
  failed: (json) => `{"error":${json}}\n`,
  ended: () => "",
  signOfLife: undefined,
};

/** A JSON array, an element at a time. After an error the last element is `{"error": status}`. */
const array: StreamFormat = {
  contentType: "application/json",
  header: {},
  opening: "",
  message: (json, _id, isFirst) => `${isFirst ? "[" : ",\n"}${json}`,
  failed: (json, isFirst) => `${isFirst ? "[" : ",\n"}{"error":${json}}]\n`,
  ended: (isFirst) => (isFirst ? "[]\n" : "]\n"),
  signOfLife: undefined,
};

/**
 * Events as browsers read them with `EventSource` (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 *
 * Each message is an event without a type, its JSON the data, and its id the field that the contract names. The last
 * event is of type `end` when the stream ended well and `error`, with a google.rpc.Status as data, when it did not. Behind
 * either the page has to call `close()`, or the browser asks anew; a stream that is asked anew and has nothing more is
 * answered 204, which stops it.
 */
const events: StreamFormat = {
  contentType: "text/event-stream",
  header: { "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" },
  opening: `retry: ${retryMs}\n\n`,
  message: (json, id) => `${id === undefined ? "" : `id: ${id}\n`}data: ${oneLine(json)}\n\n`,
  failed: (json) => `event: error\ndata: ${json}\n\n`,
  ended: () => "event: end\ndata: {}\n\n",
  signOfLife: ":\n\n",
};

/** Data of several lines is a field for each. */
function oneLine(text: string): string {
  return text.includes("\n") ? text.replaceAll("\n", "\ndata: ") : text;
}

const formats = new Map([ndjson, events, array].map((format) => [format.contentType, format]));
const types = [...formats.keys()];

/** The format that `Accept` prefers; lines of JSON when it has no opinion, or asks for what a stream never is. */
export function formatFor(accept: string | null): StreamFormat {
  if (accept === null || accept === "*/*") return ndjson;
  return formats.get(new Negotiator({ headers: { accept } }).mediaType(types) ?? "") ?? ndjson;
}
