import { connect as connectHttp2, constants, type OutgoingHttpHeaders } from "node:http2";
import { describe, expect, test, vi } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { annService, openTown, until } from "../../test/suites/gateway-parts.ts";
import { exchange } from "../../testing/raw-client.ts";
import { engines } from "../../wire/engines.ts";

vi.setConfig({ testTimeout: 30_000 }); // real servers, on a machine that may be busy

const host = "Host: a\r\n";
const json = "Content-Type: application/json\r\n";
const get = (target: string, headers = host) => `GET ${target} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`;
const post = (headers: string, body: string) =>
  `POST /v1/users HTTP/1.1\r\n${host}${json}${headers}Connection: close\r\n\r\n${body}`;
const chunked = "2\r\n{}\r\n0\r\n\r\n";

/** What is sent, and the status that it is answered with. */
const overHttp1: readonly (readonly [about: string, text: string, status: number])[] = [
  ["TRACE", get("/v1/users/1").replace("GET", "TRACE"), 405],
  ["CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 405],
  ["CONNECT to a path", "CONNECT /v1/users/1 HTTP/1.1\r\nHost: a\r\n\r\n", 405],
  ["a method nobody knows", get("/v1/users/1").replace("GET", "BREW"), 400],
  ["the absolute form", get("http://b/v1/users/1"), 200],
  ["the absolute form of another scheme", get("ftp://b/v1/users/1"), 400],
  ["the absolute form with a name", get("http://eve@b/v1/users/1"), 400],
  ["*", get("*").replace("GET", "OPTIONS"), 404],
  ["two slashes", get("//v1/users/1"), 404],
  ["two slashes before what could be a host", get("//b/v1/users/1"), 404],
  ["dot segments", get("/x/../v1/users/1"), 400],
  ["escaped dot segments", get("/x/%2e%2E/v1/users/1"), 400],
  ["a dot segment at the end", get("/v1/users/."), 400],
  ["backslashes", get("/x\\..\\v1/users/1"), 400],
  ["a fragment", get("/v1/users/1#x"), 400],
  ["NUL in the path", get("/v1/users/\0"), 400],
  ["NUL in a header", get("/v1/users/1", `${host}X-A: a\0b\r\n`), 400],
  ["an escaped NUL", get("/v1/users/%00"), 400],
  ["a space in the path", get("/v1/users/ 1"), 400],
  ["no host", get("/v1/users/1", ""), 400],
  ["an empty host", get("/v1/users/1", "Host:\r\n"), 400],
  ["a host with a path", get("/v1/users/1", "Host: a/x\r\n"), 400],
  ["a host with a name", get("/v1/users/1", "Host: eve@a\r\n"), 400],
  ["two hosts", get("/v1/users/1", `${host}Host: b\r\n`), 400],
  ["two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), 400],
  ["a length with a sign", post("Content-Length: +2\r\n", "{}"), 400],
  ["a length that is a list", post("Content-Length: 2, 2\r\n", "{}"), 400],
  ["a length beside chunks", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", chunked), 400],
  ["a coding that is nearly chunked", post("Transfer-Encoding: xchunked\r\n", chunked), 400],
  ["chunks that are not the last coding", post("Transfer-Encoding: chunked, identity\r\n", chunked), 400],
  ["a coding under the chunks", post("Transfer-Encoding: gzip, chunked\r\n", chunked), 501],
  ["a space before the colon", post("Transfer-Encoding : chunked\r\n", chunked), 400],
  ["two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", chunked), 400],
  ["a chunk without a length", post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"), 400],
  ["lines that end in LF", "GET /v1/users/1 HTTP/1.1\nHost: a\n\n", 400],
  ["a folded header", get("/v1/users/1", `${host}X-A: a\r\n b\r\n`), 400],
  ["HTTP/1.0 without a host", "GET /v1/users/1 HTTP/1.0\r\n\r\n", 400],
  ["a version there is not", get("/v1/users/1").replace("1.1", "9.9"), 400],
  ["an expectation nobody meets", post("Expect: 200-ok\r\nContent-Length: 2\r\n", "{}"), 417],
  ["a long header", get("/v1/users/1", `${host}X-A: ${"a".repeat(40_000)}\r\n`), 431],
  ["many headers", get("/v1/users/1", `${host}${"A: b\r\n".repeat(4_000)}`), 431],
];

const overHttp2: readonly (readonly [about: string, headers: OutgoingHttpHeaders, status: number])[] = [
  ["TRACE", { ":method": "TRACE" }, 405],
  ["CONNECT", { ":method": "CONNECT", ":authority": "a:80" }, 400],
  ["dot segments", { ":path": "/x/../v1/users/1" }, 400],
  ["escaped dot segments", { ":path": "/x/%2e%2e/v1/users/1" }, 400],
  ["a path that goes on with the host", { ":path": ".b/v1/users/1" }, 400],
  ["an absolute path of another scheme", { ":path": "ftp://b/v1/users/1" }, 400],
  ["backslashes", { ":path": "/x\\v1" }, 400],
  ["a fragment", { ":path": "/v1/users/1#x" }, 400],
  ["two slashes before what could be a host", { ":path": "//b/v1/users/1" }, 404],
  ["an authority with a name", { ":path": "/v1/users/1", ":authority": "eve@a" }, 400],
  ["an authority with a path", { ":path": "/v1/users/1", ":authority": "a/x" }, 400],
];

describe.each(Object.entries(engines))("the gateway's port on the engine %s", (_, engine) => {
  async function openShop() {
    await using own = new AsyncDisposableStack();
    const town = own.use(await openTown());
    own.use(await town.join("user", [[UserService, annService()]]));
    const { port } = own.use(await town.gateway({ engine }));
    const isWell = () => fetch(`http://127.0.0.1:${port}/v1/users/1`).then(({ status }) => status === 200);
    await until(isWell, Boolean);
    const all = own.move();
    return { port, isWell, [Symbol.asyncDispose]: () => all.disposeAsync() };
  }

  test("answers what is odd over HTTP/1.1 with a status, an id and a reason, and goes on", async () => {
    await using shop = await openShop();
    const answers = await Promise.all(overHttp1.map(([, text]) => exchange(shop.port, Buffer.from(text, "latin1"))));
    const told = answers.map((answer, i) => [overHttp1[i]?.[0], Number(answer.slice(9, 12))]);
    expect(told).toEqual(overHttp1.map(([about, , status]) => [about, status]));
    for (const [i, answer] of answers.entries()) {
      const [head = "", body = ""] = answer.split("\r\n\r\n");
      expect(head, overHttp1[i]?.[0]).toMatch(/\r\nx-request-id: [\w-]{36}(\r\n|$)/i);
      expect(head, overHttp1[i]?.[0]).toMatch(/\r\ncontent-type: application\/json(\r\n|$)/i);
      expect(head).not.toMatch(/\r\n(server|x-powered-by|via):/i);
      expect(body, overHttp1[i]?.[0]).not.toMatch(/node_modules|\.ts|HPE_|at \w+ \(/);
    }
    expect(await shop.isWell()).toBe(true);
  });

  test("answers what is odd over HTTP/2, and goes on", async () => {
    await using shop = await openShop();
    const session = connectHttp2(`http://127.0.0.1:${shop.port}`);
    /** A malformed request may be answered by a reset as well: RFC 9113 §8.1.1. */
    const answer = (headers: OutgoingHttpHeaders) =>
      new Promise<Readonly<Record<string, unknown>>>((resolve) => {
        const stream = session.request({ ":path": "/v1/users/1", ...without(headers) });
        stream
          .on("response", resolve)
          .on("error", () => resolve({ ":status": 400 }))
          .resume()
          .end();
      });
    const told = [];
    for (const [about, headers] of overHttp2) {
      const answered = await answer(headers);
      told.push([about, answered[constants.HTTP2_HEADER_STATUS]]);
      if (Object.keys(answered).length > 1) expect(answered["x-request-id"], about).toMatch(/^[\w-]{36}$/);
    }
    session.destroy();
    expect(told).toEqual(overHttp2.map(([about, , status]) => [about, status]));
    expect(await shop.isWell()).toBe(true);
  });

  test("what looks like a second request inside of a refused one is never answered", async () => {
    await using shop = await openShop();
    const hidden = "GET /v1/users/1 HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const headers of [
      `Content-Length: 0\r\nTransfer-Encoding: chunked\r\n`,
      `Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n`,
      `Transfer-Encoding: xchunked\r\n`,
    ]) {
      const answer = await exchange(shop.port, post(headers, hidden).replace("Connection: close\r\n", ""));
      expect(answer.match(/HTTP\/1\.1 \d+/g), headers).toEqual(["HTTP/1.1 400"]);
    }
  });
});

/** CONNECT has no path: RFC 9113 §8.5. */
function without(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return headers[":method"] === "CONNECT" ? { ...headers, ":path": undefined } : headers;
}
