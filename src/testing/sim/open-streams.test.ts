import type { HandlerContext } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { type Note, Notes } from "../notes.ts";
import { simulate } from "./simulate.ts";

test("a stream is open until it has ended on both sides, or was given up", () =>
  simulate({}, async (world) => {
    await world.serve("notes", ({ clock }) => [
      [
        Notes,
        {
          async *list(_note: Note, { signal }: HandlerContext) {
            for (let count = 0; count < 10; count++) {
              await clock.sleep(100, signal);
              yield { count };
            }
          },
        },
      ],
    ]);
    const reader = await world.caller("reader");
    const open = () => (reader.node ? world.network.openStreamsOf(reader.node.process).get("notes-1") : undefined);
    const read = async (signal?: AbortSignal) => {
      for await (const _ of reader.client(Notes).list({}, signal ? { signal } : {}));
    };
    const leaving = new AbortController();
    const [whole, left] = [read(), read(leaving.signal).catch(() => {})];
    await world.sleep(500);
    expect(open()).toBe(2);
    leaving.abort();
    await left;
    await world.sleep(100);
    expect(open()).toBe(1);
    await whole;
    await world.sleep(100);
    expect(open()).toBe(undefined);
  }));
