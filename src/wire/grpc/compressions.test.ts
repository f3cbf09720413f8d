import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { acceptedEncodings, compressions } from "./compressions.ts";

const MiB = 1024 * 1024;
const bytes = (...values: number[]) => new Uint8Array(values);

test("gzip is what we like best, since everybody has it; Brotli and Zstandard follow", () => {
  expect(acceptedEncodings).toMatch(/^gzip,br,zstd(,|$)/);
});

describe.each(compressions.map((compression) => [compression.name, compression] as const))(
  "%s",
  (_name, compression) => {
    test.each([0, 1, 1_000, 300_000])("%d bytes come back as they were, and less where they repeat", async (length) => {
      const given = new Uint8Array(length).map((_, i) => (i * 31) % 17);
      const made = await compression.compress(given);
      expect(Buffer.compare(await compression.decompress(made, 4 * MiB), given)).toBe(0);
      if (length >= 1_000) expect(made.length).toBeLessThan(length / 2);
    });

    test("exactly as many bytes as may be read are read, one more is not", async () => {
      const made = await compression.compress(new Uint8Array(100_000));
      expect(await compression.decompress(made, 100_000)).toHaveLength(100_000);
      await expect(compression.decompress(made, 99_999)).rejects.toMatchObject({ code: Code.ResourceExhausted });
    });

    test("a bomb is RESOURCE_EXHAUSTED, and costs no more than what may be read", async () => {
      const bomb = await compression.compress(new Uint8Array(24 * MiB));
      expect(bomb.length).toBeLessThan(2 * MiB);
      const before = process.memoryUsage().arrayBuffers;
      await expect(compression.decompress(bomb, 4 * MiB)).rejects.toMatchObject({ code: Code.ResourceExhausted });
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * MiB);
    });

    test.each([
      ["noise", bytes(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)],
      ["one byte", bytes(0xff)],
    ])("%s is INVALID_ARGUMENT, or INTERNAL where the library cannot tell", async (_, garbage) => {
      const refused = compression.decompress(garbage, MiB).catch(({ code }) => code);
      expect([Code.InvalidArgument, Code.Internal]).toContain(await refused);
    });

    test("what was cut off does not pass for whole", async () => {
      const made = await compression.compress(new Uint8Array(10_000).map((_, i) => (i * i) % 251));
      const cut = made.slice(0, made.length - 5);
      await expect(compression.decompress(cut, MiB)).rejects.toMatchObject({ name: "ConnectError" });
    });
  },
);
