import { Code, ConnectError, createContextKey, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { pairs } from "../testing/engine-pair.ts";
import { Notes, notesOf, openNotes, textsOf } from "../testing/notes.ts";

describe.each(pairs)("what a handler knows of its call, from %s to %s", { timeout: 20_000 }, (_c, _s, engines) => {
  /** All four methods, each of which tells what it was given. */
  function openTeller(look: (context: HandlerContext) => void) {
    return openNotes({
      ...engines,
      implementation: {
        one(_, context) {
          look(context);
          return {};
        },
        collect: async (requests, context) => {
          look(context);
          await textsOf(requests);
          return {};
        },
        async *list(_, context) {
          look(context);
          yield {};
        },
        async *talk(requests, context) {
          look(context);
          for await (const { text } of requests) yield { text };
        },
      },
    });
  }

  type Notes4 = Awaited<ReturnType<typeof openTeller>>["notes"];
  const callAll = async (notes: Notes4, options = {}) => {
    await notes.one({}, options);
    await notes.collect(notesOf("a"), options);
    await textsOf(notes.list({}, options));
    await textsOf(notes.talk(notesOf("a"), options));
  };
  const localNames = ["one", "collect", "list", "talk"] as const;

  test("method, service, URL, protocol and the like are told", async () => {
    const seen: HandlerContext[] = [];
    await using pair = await openTeller((context) => void seen.push(context));
    await callAll(pair.notes);
    expect(seen.map(({ method }) => method.localName)).toEqual(localNames);
    for (const { service, method, url, requestMethod, protocolName } of seen) {
      expect(service.typeName).toBe(Notes.typeName);
      expect(url).toBe(`${pair.session.origin}/notes.v1.Notes/${method.name}`);
      expect([requestMethod, protocolName]).toEqual(["POST", "grpc"]);
    }
  });

  test("the caller's header fields arrive, and none of HTTP/2's own", async () => {
    const seen: Headers[] = [];
    await using pair = await openTeller(({ requestHeader }) => void seen.push(requestHeader));
    const headers = new Headers({ "X-Word": "a word", "x-bin": "AQID" });
    headers.append("x-many", "1");
    headers.append("x-many", "2");
    await callAll(pair.notes, { headers });
    expect(seen).toHaveLength(4);
    for (const header of seen) {
      expect(header.get("x-word")).toBe("a word");
      expect(header.get("x-many")).toBe("1, 2");
      expect(header.get("x-bin")).toBe("AQID");
      expect(header.get("content-type")).toBe("application/grpc+proto");
      expect([...header.keys()].filter((name) => name.startsWith(":"))).toEqual([]);
    }
  });

  test("timeoutMs, signal and values may be taken off the context", async () => {
    const key = createContextKey("default");
    const seen: unknown[] = [];
    await using pair = await openTeller(({ signal, timeoutMs, values }) => {
      values.set(key, "set");
      seen.push([signal.aborted, Math.ceil((timeoutMs() ?? 0) / 10_000), values.get(key)]);
    });
    await callAll(pair.notes, { timeoutMs: 10_000 });
    expect(seen).toEqual(localNames.map(() => [false, 1, "set"]));
  });

  test("a stream without a deadline has no timeout, and no call sees what another's values hold", async () => {
    const key = createContextKey(0);
    const seen: unknown[] = [];
    await using pair = await openTeller(({ timeoutMs, values, method }) => {
      if (method.methodKind !== "unary") seen.push([timeoutMs(), values.get(key)]);
      values.set(key, 1);
    });
    await callAll(pair.notes, { contextValues: createContextValues().set(key, 2) });
    expect(seen).toEqual([1, 2, 3].map(() => [undefined, 0]));
  });

  test("the signal of a call that was answered aborts, so that nothing is done for it any more", async () => {
    const signals: AbortSignal[] = [];
    await using pair = await openTeller(({ signal }) => void signals.push(signal));
    await callAll(pair.notes);
    await expect.poll(() => signals.map(({ aborted }) => aborted)).toEqual([true, true, true, true]);
  });

  test("headers and trailers that the handler sets reach the caller", async () => {
    await using pair = await openTeller(({ responseHeader, responseTrailer }) => {
      responseHeader.set("x-head", "h");
      responseTrailer.set("x-tail", "t");
      for (const value of ["AQ", "Ag"]) responseTrailer.append("x-tail-bin", value);
      for (const value of ["1", "2"]) responseHeader.append("x-many", value);
    });
    const seen: (string | null)[][] = [];
    await callAll(pair.notes, {
      onHeader: (header: Headers) => seen.push(["head", header.get("x-head"), header.get("x-many")]),
      onTrailer: (trailer: Headers) => seen.push(["tail", trailer.get("x-tail"), trailer.get("x-tail-bin")]),
    });
    const told = [
      ["head", "h", "1, 2"],
      ["tail", "t", "AQ, Ag"],
    ];
    expect(seen).toEqual(localNames.flatMap(() => told));
  });

  test("a header that is no header is the handler's mistake, and the connection lives on", async () => {
    await using pair = await openTeller(({ responseHeader, method }) => {
      if (method.localName === "one") responseHeader.set("x-head", "ä".normalize("NFC"));
    });
    const outcome = await pair.notes.one({}).then(
      () => "answered",
      (reason) => ConnectError.from(reason).code,
    );
    expect(["answered", Code.Internal]).toContain(outcome);
    expect(await textsOf(pair.notes.talk(notesOf("a")))).toEqual(["a"]);
  });
});
