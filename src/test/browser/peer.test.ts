import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { textAnswer } from "../../server/answers.ts";
import { openTestServer } from "../../testing/open-server.ts";
import type { HttpHandler } from "../../wire/engine.ts";
import { bodies } from "../integration/peers/bodies.ts";
import { EchoService, failureText, reason } from "../integration/peers/contract.ts";
import { echo } from "../integration/peers/echo.ts";
import { digestOf, many, mebibyte } from "../integration/peers/pieces.ts";
import { places } from "../integration/peers/places.ts";
import { openBrowser } from "./open-browser.ts";
import type { PeerPage, Protocol } from "./peer/page.ts";

const whole = digestOf(many);
const failure = [Code.NotFound, failureText, reason.reason, "gone", "AP+A"];

let browser: Browser;
let pages: HttpHandler;
beforeAll(async () => {
  browser = await openBrowser();
  pages = servingPages(await bundled());
});
afterAll(() => browser?.close());

describe.for(places.filter(([, { tls }]) => tls !== undefined))("Chromium and our server (%s)", ([, place]) => {
  let page: Page;
  let connections: ReadonlySet<string>;
  const opened = new AsyncDisposableStack();
  beforeAll(async () => {
    const server = opened.use(await openTestServer([[EchoService, echo]], { ...place, fallback: pages }));
    const context = opened.adopt(await browser.newContext({ ignoreHTTPSErrors: true }), (open) => open.close());
    page = await context.newPage();
    connections = await connectionsOf(page);
    await page.goto(`https://localhost:${server.port}/`);
    await page.waitForFunction(() => "peer" in globalThis);
  });
  afterAll(() => opened.disposeAsync());

  test.for(["connect", "grpc-web"] as const)("understand each other over %s in all a page can do", async (protocol) => {
    const seen = await page.evaluate((over: Protocol) => {
      return (globalThis as unknown as { peer: PeerPage }).peer.calls(over);
    }, protocol);
    expect(seen).toEqual({
      metadata: ["head", "tail"].flatMap((at) => [`${at}-binary-bin=AP+A`, `${at}-plain=one`]),
      "1 MiB": true,
      served: whole,
      error: failure,
      "late error": failure,
      "messages before it": 3,
      deadline: Code.DeadlineExceeded,
      cancel: [Code.Canceled, Code.Canceled],
      "told to stop": 3,
      "at once": 100,
    });
  });

  test("carry 64 MiB in one body, each way", async () => {
    const seen = await page.evaluate(() => (globalThis as unknown as { peer: PeerPage }).peer.bodies());
    expect(seen).toEqual({ got: whole, sent: `${many * mebibyte} ${whole}` });
  });

  test("do all of it over one connection of HTTP/2", async () => {
    const versions = await page.evaluate(() => (globalThis as unknown as { peer: PeerPage }).peer.versions());
    expect(versions).toEqual(["h2"]);
    expect(connections.size).toBe(1);
  });
});

/** The connections that answers came by, as the browser numbers them. */
async function connectionsOf(page: Page): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  const session = await page.context().newCDPSession(page);
  session.on("Network.responseReceived", ({ response }) => seen.add(`${response.protocol} ${response.connectionId}`));
  await session.send("Network.enable");
  return seen;
}

async function bundled(): Promise<string> {
  const entryPoints = [join(import.meta.dirname, "peer/page.ts")];
  const made = await build({ entryPoints, bundle: true, format: "esm", target: "es2022", write: false });
  return made.outputFiles[0]?.text ?? "";
}

/** The page, its script, and the bodies. */
function servingPages(script: string): HttpHandler {
  return async (request) => {
    const type = (is: string) => ({ "content-type": `${is}; charset=utf-8` });
    switch (new URL(request.url).pathname) {
      case "/":
        return textAnswer(200, '<!doctype html><script type="module" src="page.js"></script>', type("text/html"));
      case "/page.js":
        return textAnswer(200, script, type("text/javascript"));
      case "/favicon.ico":
        return { status: 204 };
      default:
        return bodies(request);
    }
  };
}
