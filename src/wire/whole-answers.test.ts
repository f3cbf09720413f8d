import { connect } from "node:http2";
import { expect, test } from "vitest";
import { WholeBody } from "../call/whole-body.ts";
import type { HttpHandler } from "./engine.ts";
import { engineNames, engines } from "./engines.ts";

const sizeBytes = 300_000;

test.each(engineNames)(
  "an answer that is all there when it begins arrives whole at a peer that takes little of it at once, on %s",
  async (engine) => {
    const handler: HttpHandler = async () => ({ status: 200, body: new WholeBody("x".repeat(sizeBytes)) });
    await using listener = await engines[engine].listen({ host: "127.0.0.1", port: 0, handler });
    const client = connect(`http://127.0.0.1:${listener.port}`, { settings: { initialWindowSize: 100 } });
    const stream = client.request({ ":path": "/" });
    let received = 0;
    for await (const piece of stream) received += (piece as Buffer).length;
    expect([received, stream.rstCode]).toEqual([sizeBytes, 0]);
    client.close();
  },
);
