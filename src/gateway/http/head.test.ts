import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { expect, test } from "vitest";
import { once } from "../../rest/response/answer.ts";
import { restRequest } from "../../testing/rest-caller.ts";
import { withHead } from "./head.ts";

const whole = (header: Record<string, string>): UniversalServerResponse => ({
  status: 200,
  header: new Headers({ "content-length": "2", ...header }),
  body: once(Buffer.from("{}")),
});

test("HEAD has the headers of GET and no body", async () => {
  const answer = await withHead(async ({ method }) => whole({ "x-asked": method }))(restRequest("HEAD", "/"));
  expect(answer).toEqual({ status: 200, header: new Headers({ "content-length": "2", "x-asked": "GET" }) });
});

test("HEAD asks for no part", async () => {
  const asked: (string | null)[] = [];
  const inner = async ({ header }: UniversalServerRequest) => {
    asked.push(header.get("range"), header.get("accept"));
    return whole({});
  };
  await withHead(inner)(restRequest("HEAD", "/", { header: { range: "bytes=0-1", accept: "text/plain" } }));
  expect(asked).toEqual([null, "text/plain"]);
});

test("a stream that HEAD would begin is cancelled", async () => {
  const asked: UniversalServerRequest[] = [];
  const endless = async (request: UniversalServerRequest) => {
    asked.push(request);
    return { status: 200, header: new Headers(), body: (async function* () {})() };
  };
  expect(await withHead(endless)(restRequest("HEAD", "/"))).not.toHaveProperty("body");
  expect(asked[0]?.signal.aborted).toBe(true);
});

test("a path that is HEAD's alone is asked as HEAD", async () => {
  const heads = async ({ method }: UniversalServerRequest) =>
    method === "HEAD" ? { status: 204 } : { status: 405, header: new Headers({ allow: "HEAD, POST" }) };
  expect((await withHead(heads)(restRequest("HEAD", "/"))).status).toBe(204);
  expect(
    (await withHead(async () => ({ status: 405, header: new Headers({ allow: "POST" }) }))(restRequest("HEAD", "/")))
      .status,
  ).toBe(405);
});
