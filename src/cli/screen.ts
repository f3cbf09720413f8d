import { colourful, colourless, type Paint } from "./paint.ts";

/** Where a command tells what it does. */
export interface Screen {
  /** Writes one line, or several that are joined by newlines already. */
  line(text?: string): void;
  readonly paint: Paint;
}

/** What a stream has to offer to be written to. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** A screen over a stream: with colours only where somebody looks at it and did not set NO_COLOR. */
export function screen(sink: Sink, { noColour = false } = {}): Screen {
  return {
    line: (text = "") => void sink.write(`${text}\n`),
    paint: sink.isTTY && !noColour ? colourful : colourless,
  };
}
