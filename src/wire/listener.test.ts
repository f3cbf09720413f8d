import { get as getHttps } from "node:https";
import { connect as connectTcp } from "node:net";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { describe, expect, test, vi } from "vitest";
import { selfSigned } from "../testing/certificate.ts";
import { exchange, openHttp2 } from "../testing/raw-client.ts";
import type { HttpHandler, Listener } from "./engine.ts";
import { engines } from "./engines.ts";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Answers with the version the request came by. */
const versionTeller: HttpHandler = async ({ httpVersion, method, url }) => ({
  status: 200,
  header: new Headers({ "x-version": httpVersion }),
  body: bytes(`${httpVersion} ${method} ${new URL(url).pathname}`),
});

async function* bytes(text: string) {
  yield new TextEncoder().encode(text);
}

const originOf = ({ port }: Listener) => `http://127.0.0.1:${port}`;

/** A handler that holds every request until told to let go. */
function holding() {
  const gate = Promise.withResolvers<void>();
  const handler: HttpHandler = async (request) => {
    await gate.promise;
    return versionTeller(request);
  };
  return { handler, letGo: gate.resolve };
}

describe.each(Object.entries(engines))("the listener of %s", (_, engine) => {
  function open(handler: HttpHandler = versionTeller, tls?: { key: string; cert: string }): Promise<Listener> {
    return engine.listen({ host: "127.0.0.1", port: 0, handler, ...(tls && { tls }) });
  }

  test("one port answers HTTP/1.1 and HTTP/2", async () => {
    await using listener = await open();
    await using http2 = await openHttp2(originOf(listener));
    expect(await (await fetch(`${originOf(listener)}/a`)).text()).toBe("1.1 GET /a");
    expect(await http2.get("/b")).toMatchObject({ status: 200, text: "2.0 GET /b" });
  });

  test("HTTP/2 begins whatever pieces its preface comes in", async () => {
    await using listener = await open();
    const goaway = "\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0"; // asks the server to close
    const settings = "\0\0\0\x04\0\0\0\0\0";
    const answer = await exchange(listener.port, ...preface, settings, goaway);
    expect(answer.charCodeAt(3)).toBe(4); // its first frame is SETTINGS
  });

  test.each([
    ["no Host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"],
    ["no Host, in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"],
    ["a Host that is none", "GET / HTTP/1.1\r\nHost: a b:c\r\nConnection: close\r\n\r\n"],
    ["a target that is no URL", "GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
    ["an unknown method", "HELLO / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["an unknown version", "GET / HTTP/one\r\nHost: x\r\n\r\n"],
    ["a head that is too long", `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431],
  ])("a request with %s is refused, and the server lives", async (_, request, status = 400) => {
    await using listener = await open();
    expect(await exchange(listener.port, request)).toMatch(`HTTP/1.1 ${status} `);
    expect(await (await fetch(originOf(listener))).text()).toBe("1.1 GET /");
  });

  test("a request that cannot be read is refused behind one that was answered, too, and never in its place", async () => {
    await using listener = await open();
    const whole = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    const long = `GET /${"x".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const socket = connectTcp({ host: "127.0.0.1", port: listener.port });
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.write(whole);
    await vi.waitFor(() => expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*1\.1 GET \/a/));
    socket.write(long);
    await vi.waitFor(() => expect(text).toMatch(/HTTP\/1\.1 431 [\s\S]*16 KiB/));
    socket.destroy();
    expect(await exchange(listener.port, whole + long)).not.toMatch("HTTP/1.1 431 ");
  });

  test.each([
    ["greeting", "hello there\r\n\r\n"],
    ["preface of HTTP/2 that is wrong", "INVALID CONNECTION PREFACE\r\n\r\n"],
  ])("a %s is hung up on without a word, and the server lives", async (_, words) => {
    await using listener = await open();
    expect(await exchange(listener.port, words)).toBe("");
    expect(await (await fetch(originOf(listener))).text()).toBe("1.1 GET /");
  });

  test("a request behind a body that nobody has read to its end is answered on the same connection", async () => {
    const head = (length: number, more = "") =>
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n${more}\r\n`;
    await using listener = await open(async (request) => {
      for await (const _ of request.body as AsyncIterable<Uint8Array>) break;
      return versionTeller(request);
    });
    const pieces = Array.from({ length: 8 }, () => "x".repeat(32 * 1024));
    const answers = await exchange(
      listener.port,
      head(8 * 32 * 1024),
      ...pieces,
      head(1, "Connection: close\r\n"),
      "x",
    );
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });

  test("a sender who goes on and on after the answer is cut off", async () => {
    await using listener = await open(async (request) => {
      for await (const _ of request.body as AsyncIterable<Uint8Array>) break;
      return versionTeller(request);
    });
    const length = 64 * 1024 * 1024; // of which no more than a few come: waiting for the rest would take for ever
    const pieces = Array.from({ length: 200 }, () => "x".repeat(64 * 1024));
    await exchange(listener.port, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`, ...pieces);
    await vi.waitFor(() => expect(listener.inFlight).toBe(0));
  });

  test("a preface that breaks off or goes wrong costs its own connection only", async () => {
    await using listener = await open();
    await exchange(listener.port, `${preface.slice(0, 16)}NONSENSE THAT IS NO FRAME`);
    await exchange(listener.port, preface, "\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    expect(await (await fetch(originOf(listener))).text()).toBe("1.1 GET /");
    await vi.waitFor(() => expect(listener.inFlight).toBe(0));
  });

  test("a port in use is refused with the system's error", async () => {
    await using listener = await open();
    const again = engine.listen({ host: "127.0.0.1", port: listener.port, handler: versionTeller });
    await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  test("a new certificate is shown to who connects from then on; open connections go on", async () => {
    const [old, next] = [selfSigned(), selfSigned()];
    await using listener = await open(versionTeller, old);
    const origin = `https://127.0.0.1:${listener.port}`;
    await using before = await openHttp2(origin, { ca: old.cert });
    listener.setTls(next);
    expect(await before.get("/a")).toMatchObject({ status: 200 });
    await using after = await openHttp2(origin, { ca: next.cert });
    expect(await after.get("/b")).toMatchObject({ status: 200, text: "2.0 GET /b" });
    await expect(openHttp2(origin, { ca: old.cert })).rejects.toThrow(/self-signed/);
    expect(() => listener.setTls({ cert: old.cert, key: next.key })).toThrow(/mismatch/);
    await using still = await openHttp2(origin, { ca: next.cert });
    expect(await still.get("/c")).toMatchObject({ status: 200 });
  });

  test("a port without TLS takes no certificate", async () => {
    await using listener = await open();
    expect(() => listener.setTls(selfSigned())).toThrow(/speaks no TLS/);
  });

  test("with TLS the same port speaks both versions, chosen by ALPN, and no plain text", async () => {
    const tls = selfSigned();
    await using listener = await open(versionTeller, tls);
    await using http2 = await openHttp2(`https://127.0.0.1:${listener.port}`, { ca: tls.cert });
    expect(await http2.get("/a")).toMatchObject({ status: 200, text: "2.0 GET /a" });
    expect(http2.session.alpnProtocol).toBe("h2");
    const over1 = await new Promise((resolve, reject) => {
      const options = { ca: tls.cert, agent: false, headers: { connection: "close" } };
      getHttps(`https://127.0.0.1:${listener.port}/b`, options, (response) => {
        response.resume();
        resolve(response.headers["x-version"]);
      }).on("error", reject);
    });
    expect(over1).toBe("1.1");
    expect(await exchange(listener.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")).not.toContain("200");
  });

  test.each(["1.1", "2"])("over HTTP/%s a client that leaves aborts the request's signal", async (version) => {
    const left = Promise.withResolvers<void>();
    const came = Promise.withResolvers<void>();
    const patient: HttpHandler = ({ signal }: UniversalServerRequest) => {
      came.resolve();
      signal.addEventListener("abort", () => left.resolve());
      return new Promise(() => {});
    };
    await using listener = await open(patient);
    if (version === "2") {
      await using http2 = await openHttp2(originOf(listener));
      const stream = http2.session.request({ ":path": "/" });
      stream.on("error", () => {});
      await came.promise;
      stream.close(0x8);
      await left.promise;
    } else {
      const leave = new AbortController();
      const answer = fetch(originOf(listener), { signal: leave.signal });
      await came.promise;
      leave.abort();
      await expect(answer).rejects.toThrow();
      await left.promise;
    }
    await vi.waitFor(() => expect(listener.inFlight).toBe(0));
  });

  test("a body that breaks off is seen to break off", async () => {
    const breaking: HttpHandler = async () => ({
      status: 200,
      body: (async function* () {
        yield new Uint8Array(10);
        throw new Error("broken");
      })(),
    });
    await using listener = await open(breaking);
    await expect(fetch(originOf(listener)).then((answer) => answer.arrayBuffer())).rejects.toThrow();
    await using http2 = await openHttp2(originOf(listener));
    expect(await http2.get("/")).toMatchObject({ status: 200, resetCode: 2 });
  });

  test("draining finishes what has begun, over both versions, and refuses what has not", async () => {
    const { handler, letGo } = holding();
    await using listener = await open(handler);
    await using http2 = await openHttp2(originOf(listener));
    const goaway = new Promise((resolve) => http2.session.once("goaway", resolve));
    const begun = [http2.get("/a"), fetch(`${originOf(listener)}/b`).then((answer) => answer.text())];
    await vi.waitFor(() => expect(listener.inFlight).toBe(2));

    const drained = listener.drain(5_000);
    expect(await goaway).toBe(0);
    await expect(fetch(originOf(listener))).rejects.toThrow();
    letGo();
    expect(await Promise.all(begun)).toEqual([
      expect.objectContaining({ status: 200, text: "2.0 GET /a" }),
      "1.1 GET /b",
    ]);
    expect(await drained).toBe(0);
    expect(http2.session.closed).toBe(true);
  });

  test("draining cuts off what is not done when the grace period ends, and counts it", async () => {
    const { handler } = holding();
    await using listener = await open(handler);
    await using http2 = await openHttp2(originOf(listener));
    const answers = [http2.get("/a"), http2.get("/b")];
    await vi.waitFor(() => expect(listener.inFlight).toBe(2));
    expect(await listener.drain(1)).toBe(2);
    for (const { status } of await Promise.all(answers)) expect(status).toBe(0);
  });

  test("draining twice is draining once; idle connections do not hold it up", async () => {
    await using listener = await open();
    await (await fetch(originOf(listener))).text(); // leaves a connection that is kept alive
    await using _http2 = await openHttp2(originOf(listener));
    const drained = listener.drain(60_000);
    expect(listener.drain(0)).toBe(drained);
    expect(await drained).toBe(0);
  });
});
