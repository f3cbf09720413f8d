import type { Results } from "./results.ts";
import { type Target, targets, verdictOf } from "./targets.ts";

const width = 960;
const labelWidth = 320;
const rowHeight = 26;
const top = 56;
/** Where "must" stands; a bar as long as this has just met it. */
const mustX = 150;
const plotWidth = width - labelWidth - 190;

const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .quiet { fill: #59636e; font-size: 12px }
  .aim { stroke: #59636e; stroke-width: 2 }
  .must { stroke: #59636e; stroke-dasharray: 3 3 }
  .good { fill: #2da44e } .met { fill: #8cc99b } .missed { fill: #d1603d }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .quiet { fill: #9198a1 } .aim, .must { stroke: #9198a1 }
    .met { fill: #1f6f37 }
  }`;

const classOf = { "aim reached": "good", met: "met", MISSED: "missed" } as const;

/**
 * The targets as bars, each as long as it is good: to the dashed line is what must be, to the tick what is aimed at.
 * Readable on light and dark pages.
 */
export function picture(results: Results): string {
  const rows = targets.flatMap((target) => row(target, results));
  const height = top + rows.length * rowHeight + 12;
  const bars = rows.map((draw, i) => draw(top + i * rowHeight));
  const x = labelWidth + mustX;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Heddle beside its peers">
<style>${style}
</style>
<text x="8" y="22">Heddle beside its peers. Dashed: what must be; tick: what is aimed at; longer is better.</text>
<text class="quiet" x="${x}" y="44" text-anchor="middle">must</text>
<line class="must" x1="${x}" y1="50" x2="${x}" y2="${height - 8}"/>
${bars.join("\n")}
</svg>
`;
}

function row(target: Target, results: Results): ((y: number) => string)[] {
  const spread = target.measured(results);
  if (spread === undefined) return [];
  const { median } = spread;
  const length = lengthOf(target, median);
  const aimX = labelWidth + lengthOf(target, target.aim);
  const wanted = `must ${target.must}, aim ${target.aim}`;
  const value = target.unit === "µs" ? `${median.toFixed(2)} µs` : `${median.toFixed(median < 1 ? 2 : 1)}×`;
  return [
    (y) => `<text x="8" y="${y + 16}">${escaped(target.name)}</text>
<rect class="${classOf[verdictOf(target, spread)]}" x="${labelWidth}" y="${y + 4}" width="${length.toFixed(0)}" height="16" rx="2"/>
<line class="aim" x1="${aimX.toFixed(0)}" y1="${y + 2}" x2="${aimX.toFixed(0)}" y2="${y + 22}"/>
<text x="${(labelWidth + Math.max(length, aimX - labelWidth) + 8).toFixed(0)}" y="${y + 16}">${value} <tspan class="quiet">${wanted}</tspan></text>`,
  ];
}

/** "must" is `mustX` long; twice as good is twice as long, up to the edge. */
function lengthOf({ must, isLess }: Target, value: number): number {
  const goodness = isLess ? must / Math.max(value, must / 100) : value / must;
  return Math.min(plotWidth, mustX * goodness);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
