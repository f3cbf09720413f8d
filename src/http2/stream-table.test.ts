import fc from "fast-check";
import { expect, test } from "vitest";
import { Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

const streamOf = (id: number) => new Stream(id, { receive: 0, send: 0 });

test("it holds what a Map would, whatever comes and goes", () => {
  const step = fc.record({ id: fc.nat(200), isAdded: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const table = new StreamTable();
      const map = new Map<number, Stream>();
      for (const { id, isAdded } of steps) {
        if (!isAdded) expect(table.delete(id)).toBe(map.delete(id));
        else if (!map.has(id)) {
          const stream = streamOf(id);
          table.add(stream);
          map.set(id, stream);
        }
        expect(table.size).toBe(map.size);
      }
      for (let id = 0; id <= 200; id++) expect(table.get(id)).toBe(map.get(id));
      expect(new Set(table.values())).toEqual(new Set(map.values()));
    }),
    { numRuns: 200, seed: 3 },
  );
});

test("one old stream does not make it grow while others come and go", () => {
  const table = new StreamTable();
  table.add(streamOf(1));
  for (let id = 3; id < 20_001; id += 2) {
    table.add(streamOf(id));
    table.delete(id);
  }
  expect(table.values().map(({ id }) => id)).toEqual([1]);
});
