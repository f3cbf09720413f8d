import { defineConfig } from "vitest/config";

const slow = ["src/test/contract/**", "src/test/integration/**", "src/test/browser/**"];

/** Where to leave the results as JSON too: .ci/run adds them up. */
const report = process.env.HEDDLE_TEST_REPORT;

/** Tests that start real processes: one file at a time, and time enough on a busy machine. */
const realProcesses = { pool: "forks", fileParallelism: false, testTimeout: 120_000, hookTimeout: 120_000 } as const;

export default defineConfig({
  test: {
    allowOnly: false,
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts"], exclude: slow } },
      { extends: true, test: { name: "contract", include: ["src/test/contract/**/*.test.ts"], testTimeout: 30_000 } },
      {
        extends: true,
        test: { name: "integration", include: ["src/test/integration/**/*.test.ts"], ...realProcesses },
      },
      { extends: true, test: { name: "browser", include: ["src/test/browser/**/*.test.ts"], ...realProcesses } },
    ],
  },
});
