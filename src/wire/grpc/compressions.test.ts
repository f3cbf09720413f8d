import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { compressions } from "./compressions.ts";

const bytes = new Uint8Array(100_000).fill(7);

describe.each(compressions.map((compression) => [compression.name, compression] as const))("%s", (_, compression) => {
  test("what was compressed is smaller, and the same when it is decompressed", async () => {
    const small = await compression.compress(bytes);
    expect(small.length).toBeLessThan(1_000);
    expect(Buffer.compare(await compression.decompress(small, bytes.length), bytes)).toBe(0);
  });

  test("what grows beyond the limit is given up as too large", async () => {
    const small = await compression.compress(bytes);
    const growing = compression.decompress(small, bytes.length - 1);
    await expect(growing).rejects.toMatchObject({ code: Code.ResourceExhausted });
  });

  test("what is no such thing is refused, and nothing is nothing", async () => {
    const broken = compression.decompress(new TextEncoder().encode("no such thing"), 1_000);
    await expect(broken).rejects.toMatchObject({ code: Code.InvalidArgument });
    expect(await compression.decompress(new Uint8Array(), 1_000)).toHaveLength(0);
  });
});
