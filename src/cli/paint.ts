import { styleText } from "node:util";

/** What a word is meant to say; its colour follows. */
export type Tone = "good" | "bad" | "warn" | "dim" | "strong" | "plain";

/** Gives a word the colour of its tone, or leaves it as it is. */
export type Paint = (tone: Tone, text: string) => string;

const colours = { good: "green", bad: "red", warn: "yellow", dim: "dim", strong: "bold" } as const;

/** Colours for people at a terminal. */
export const colourful: Paint = (tone, text) =>
  tone === "plain" ? text : styleText(colours[tone], text, { validateStream: false });

/** No colours: for pipes, files, and those who set NO_COLOR. */
export const colourless: Paint = (_tone, text) => text;
