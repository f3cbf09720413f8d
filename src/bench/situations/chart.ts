import { type Course, type Slice, type Span, slices } from "./course.ts";

/** What one caller saw. */
export interface Line {
  readonly name: string;
  readonly course: Course;
}

/** One picture of a situation: how long calls took over time, and which share of them failed. */
export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** When something goes wrong, and what is shown around it, in milliseconds. */
export interface ChartTimes {
  readonly shown: Span;
  readonly trouble: Span;
}

const panel = { width: 470, left: 44, right: 12, top: 64, latencyHeight: 180, gap: 22, failedHeight: 40, bottom: 30 };
const gapOfPanels = 14;
const sliceMs = 250;
/** The scale of latency: a decade is as high as any other. */
const [leastMs, mostMs] = [1, 3_000];
const grid = [1, 10, 100, 1_000];

/** Whose line has which colour, on light and on dark pages: the same in every picture. */
const inks = [
  { names: ["heddle"], light: "#1a7f37", dark: "#3fb950" },
  { names: ["round robin", "heddle, no limits"], light: "#bc4c00", dark: "#f0883e" },
  { names: ["grpc-js"], light: "#0969da", dark: "#58a6ff" },
  { names: ["nice-grpc"], light: "#8250df", dark: "#bc8cff" },
  { names: ["connect-node"], light: "#bf3989", dark: "#f778ba" },
];

function ink(index: number, colour: string): string {
  return `  .c${index} { stroke: ${colour} } .k${index} { fill: ${colour} }`;
}

function inkOf(name: string): number {
  return Math.max(
    0,
    inks.findIndex(({ names }) => names.includes(name)),
  );
}

const style = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 13px; font-weight: 600 } .quiet { fill: #59636e; font-size: 11px }
  .grid { stroke: #59636e; stroke-opacity: .25 } .trouble { fill: #d1603d; fill-opacity: .1 }
  polyline { fill: none; stroke-linejoin: round } .p99 { stroke-width: 1.8 } .p50 { stroke-width: 1.2; stroke-dasharray: 3 2 }
${inks.map(({ light }, index) => ink(index, light)).join("\n")}
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .quiet { fill: #9198a1 } .grid { stroke: #9198a1 }
${inks.map(({ dark }, index) => ink(index, dark)).join("\n")}
  }`;

/** Panels side by side, as SVG; readable on light and dark pages. */
export function chart(title: string, panels: readonly Panel[], times: ChartTimes): string {
  const width = panels.length * panel.width + (panels.length - 1) * gapOfPanels + 16;
  const height = panel.top + panel.latencyHeight + panel.gap + panel.failedHeight + panel.bottom;
  const drawn = panels.map((each, index) => drawPanel(each, 8 + index * (panel.width + gapOfPanels), times));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<style>${style}
</style>
<text class="title" x="8" y="18">${escaped(title)}</text>
${drawn.join("\n")}
</svg>
`;
}

function drawPanel({ title, lines }: Panel, x: number, { shown, trouble }: ChartTimes): string {
  const plotLeft = x + panel.left;
  const plotWidth = panel.width - panel.left - panel.right;
  const xOf = (ms: number) => plotLeft + ((ms - shown.fromMs) / (shown.toMs - shown.fromMs)) * plotWidth;
  const failedTop = panel.top + panel.latencyHeight + panel.gap;
  const failedY = (ratio: number) => failedTop + panel.failedHeight * (1 - ratio);
  const bottom = failedTop + panel.failedHeight;
  const parts = [
    `<rect class="trouble" x="${fixed(xOf(trouble.fromMs))}" y="${panel.top}" width="${fixed(xOf(trouble.toMs) - xOf(trouble.fromMs))}" height="${bottom - panel.top}"/>`,
    ...grid.map((ms) => ruler(plotLeft, plotWidth, latencyY(ms), ms === 1_000 ? "1 s" : `${ms} ms`)),
    ruler(plotLeft, plotWidth, failedY(1), "100 %"),
    ruler(plotLeft, plotWidth, failedY(0), "0 %"),
    `<text class="quiet" x="${plotLeft}" y="${failedTop - 6}">failed</text>`,
    `<text class="quiet" x="${plotLeft}" y="${panel.top - 6}">p99 (solid) and p50 (dashed) of each ${sliceMs} ms, failed calls included</text>`,
    ...seconds(shown).map(
      (ms) =>
        `<text class="quiet" x="${fixed(xOf(ms))}" y="${bottom + 16}" text-anchor="middle">${ms / 1_000} s</text>`,
    ),
    legend(title, lines, x),
    ...[...lines].reverse().map((line) => drawLine(line, { shown, xOf, failedY })), // the first on top
  ];
  return parts.join("\n");
}

interface Scales {
  readonly shown: Span;
  xOf(ms: number): number;
  failedY(ratio: number): number;
}

function drawLine({ name, course }: Line, { shown, xOf, failedY }: Scales): string {
  const all = slices(course, sliceMs).filter(({ atMs }) => atMs >= shown.fromMs && atMs < shown.toMs);
  const index = inkOf(name);
  const points = (y: (slice: Slice) => number) =>
    all.map((slice) => `${fixed(xOf(slice.atMs + sliceMs / 2))},${fixed(y(slice))}`).join(" ");
  return [
    `<polyline class="p50 c${index}" points="${points(({ p50Ms }) => latencyY(p50Ms))}"/>`,
    `<polyline class="p99 c${index}" points="${points(({ p99Ms }) => latencyY(p99Ms))}"/>`,
    `<polyline class="p99 c${index}" points="${points(({ failed, calls }) => failedY(failed / calls))}"/>`,
  ].join("\n");
}

function legend(title: string, lines: readonly Line[], x: number): string {
  const names = lines.map(({ name }) => `<tspan class="k${inkOf(name)}" dx="10">${escaped(name)}</tspan>`);
  return `<text x="${x}" y="40">${escaped(title)}: ${names.join("")}</text>`;
}

function ruler(x: number, width: number, y: number, label: string): string {
  return `<line class="grid" x1="${x}" y1="${fixed(y)}" x2="${x + width}" y2="${fixed(y)}"/>
<text class="quiet" x="${x - 4}" y="${fixed(y + 4)}" text-anchor="end">${label}</text>`;
}

function seconds({ fromMs, toMs }: Span): number[] {
  const all: number[] = [];
  for (let ms = Math.ceil(fromMs / 2_000) * 2_000; ms <= toMs; ms += 2_000) all.push(ms);
  return all;
}

function latencyY(ms: number): number {
  const ratio = Math.log(Math.min(mostMs, Math.max(leastMs, ms)) / leastMs) / Math.log(mostMs / leastMs);
  return panel.top + panel.latencyHeight * (1 - ratio);
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
