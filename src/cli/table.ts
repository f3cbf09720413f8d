import type { Paint, Tone } from "./paint.ts";

/** What stands in one place of a table. */
export type Cell = string | { readonly text: string; readonly tone: Tone };

/** A column: its title, and to which side its cells lean (left unless said). */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** What a table looks like. */
export interface TableOptions {
  readonly paint: Paint;
  /** What every line begins with. Default two spaces. */
  readonly indent?: string;
}

/** Rows under their titles, each column as wide as its widest cell; no line ends with a space. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], options: TableOptions): string {
  const { paint, indent = "  " } = options;
  const titles = columns.map(({ title }) => ({ text: title, tone: "dim" }) as const);
  const widths = columns.map((_, at) => Math.max(...[titles, ...rows].map((row) => textOf(row[at]).length)));
  const line = (row: readonly Cell[]) => {
    const cells = columns.map(({ align }, at) => {
      const text = textOf(row[at]);
      const gap = " ".repeat((widths[at] ?? 0) - text.length);
      const painted = text === "" ? "" : paint(toneOf(row[at]), text);
      return align === "right" ? gap + painted : painted + gap;
    });
    return (indent + cells.join("  ")).trimEnd();
  };
  return [titles, ...rows].map(line).join("\n");
}

const textOf = (cell: Cell | undefined) => (typeof cell === "string" ? cell : (cell?.text ?? ""));
const toneOf = (cell: Cell | undefined) => (typeof cell === "object" ? cell.tone : "plain");
