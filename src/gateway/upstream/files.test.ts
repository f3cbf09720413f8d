import type { DescService } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { openTown, until } from "../../test/suites/gateway-parts.ts";
import { scratchService } from "../../testing/scratch-contract.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

const raw = "google.api.HttpBody";
const files: DescService = scratchService(
  { name: "Put", rule: { pattern: { case: "put", value: "/v1/files/{name}" }, body: "file" } },
  {
    name: "Send",
    rule: { pattern: { case: "post", value: "/v1/files" }, body: "*" },
    input: raw,
    clientStreaming: true,
  },
  { name: "Get", rule: { pattern: { case: "get", value: "/v1/files/{name}" } }, output: raw },
  {
    name: "Read",
    rule: { pattern: { case: "get", value: "/v1/files/{name}:read" } },
    output: raw,
    serverStreaming: true,
  },
);

interface Piece {
  readonly contentType: string;
  readonly data: Uint8Array;
}

/** Keeps one file. */
function keeper() {
  let kept: Piece = { contentType: "", data: new Uint8Array() };
  return {
    put({ file }: { readonly file: Piece }) {
      kept = file;
      return { name: file.contentType };
    },
    async send(pieces: AsyncIterable<Piece>) {
      const all: Piece[] = [];
      for await (const piece of pieces) all.push(piece);
      kept = { contentType: all[0]?.contentType ?? "", data: Buffer.concat(all.map(({ data }) => data)) };
      return { smallInt: kept.data.length };
    },
    get: () => kept,
    async *read({ name }: { readonly name: string }) {
      yield { contentType: kept.contentType, data: kept.data.subarray(0, 4) };
      if (name === "broken") throw new Error("the disk is gone");
      yield { data: kept.data.subarray(4) };
    },
  };
}

test("files go through a gateway as they are, whole, in part, and piece by piece, over contracts it learned by reflection", async () => {
  await using town = await openTown();
  await using _files = await town.join("files", [[files, keeper() as never]]);
  await using gateway = await town.gateway();
  const url = `http://127.0.0.1:${gateway.port}/v1/files`;
  const put = { method: "PUT", body: Uint8Array.of(0, 255, 10, 13, 1, 2), headers: { "content-type": "image/x" } };
  await until(
    () => fetch(`${url}/a`, put),
    ({ status }) => status === 200,
  );
  const whole = await fetch(`${url}/a`);
  expect([whole.status, whole.headers.get("content-type")]).toEqual([200, "image/x"]);
  expect(new Uint8Array(await whole.arrayBuffer())).toEqual(put.body);
  const part = await fetch(`${url}/a`, { headers: { range: "bytes=1-2" } });
  expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 1-2/6"]);
  expect(new Uint8Array(await part.arrayBuffer())).toEqual(Uint8Array.of(255, 10));
  expect((await fetch(`${url}/a`, { headers: { range: "bytes=6-" } })).status).toBe(416);

  const big = new Uint8Array(6 * 1024 * 1024).fill(7); // over what one message may hold
  const sent = await fetch(url, { method: "POST", body: big, headers: { "content-type": "video/x" } });
  expect([sent.status, await sent.json()]).toMatchObject([200, { smallInt: big.length }]);
  const tooBig = await fetch(`${url}/a`, { ...put, body: big });
  expect([tooBig.status, await tooBig.json()]).toMatchObject([413, { message: "the body is over 4194304 bytes" }]);
  await fetch(`${url}/a`, put);
  expect(new Uint8Array(await (await fetch(`${url}/a:read`)).arrayBuffer())).toEqual(put.body);
  await expect(fetch(`${url}/broken:read`).then((answer) => answer.arrayBuffer())).rejects.toThrow();
});
