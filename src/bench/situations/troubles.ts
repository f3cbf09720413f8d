import type { Trouble } from "./trouble.ts";

const usual = { medianMs: 20 };
const mostlyRead = ["read", "read", "read", "read", "write"] as const;

/** What happens to one of several replicas. */
export const troubles = {
  /** Asked for what may take as long as it has, so that nobody is helped by a timeout. */
  slow: { replicas: 5, usual: { medianMs: 10 }, first: { medianMs: 100 }, perSecond: 150, methods: ["normal"] },
  "black hole": { replicas: 3, usual, first: "silent", perSecond: 500, methods: mostlyRead },
  "failing half": { replicas: 3, usual, first: { ...usual, failRatio: 0.5 }, perSecond: 300, methods: mostlyRead },
} as const satisfies Readonly<Record<string, Trouble>>;

/** One of them. */
export type TroubleName = keyof typeof troubles;
