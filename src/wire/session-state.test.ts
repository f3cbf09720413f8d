import { createServer } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test, vi } from "vitest";
import { errorReason } from "../call/errors.ts";
import { progressOf } from "../call/progress.ts";
import { read, requestOf } from "../testing/bodies.ts";
import { freePort } from "../testing/free-port.ts";
import type { HttpHandler, Session, SessionState } from "./engine.ts";
import { engines } from "./engines.ts";

const host = "127.0.0.1";
const handler: HttpHandler = async () => ({ status: 200 });
const soon = { timeout: 5_000 };

async function ask(session: Session) {
  const { status, body } = await session.request(requestOf(session));
  await read(body);
  return status;
}

const failureOf = (session: Session) => ask(session).then(() => expect.unreachable(), ConnectError.from);

describe.each(Object.entries(engines))(
  "how things stand with an endpoint, as a session of %s tells it",
  (_, engine) => {
    test("idle, connecting, ready with its first request; idle again when its peer has left", async () => {
      const listener = await engine.listen({ host, port: 0, handler });
      await using session = engine.connect(`${host}:${listener.port}`);
      const told: SessionState[] = [];
      const stop = session.onChange((state) => told.push(state));
      expect(session.state).toBe("idle");
      const call = ask(session);
      expect(session.state).toBe("connecting");
      expect(await call).toBe(200);
      expect(session.state).toBe("ready");
      await listener.drain(1_000);
      await vi.waitFor(() => expect(session.state).toBe("idle"), soon);
      stop();
      await failureOf(session);
      expect(told).toEqual(["connecting", "ready", "idle"]);
    });

    test("after a failure a request is refused at once and told when the next try is due, and other endpoints are not delayed", async () => {
      const port = await freePort();
      await using session = engine.connect(`${host}:${port}`, { backoffMinMs: 60_000 });
      expect(errorReason(await failureOf(session))?.reason).toBe("CONNECT_FAILED");
      expect(session.state).toBe("backoff");
      const refused = await failureOf(session);
      expect([refused.code, progressOf(refused)]).toEqual([Code.Unavailable, "not-sent"]);
      expect(refused.message).toMatch(/ECONNREFUSED.*; the next try is due in \d+ ms$/);
      expect(errorReason(refused)).toMatchObject({
        reason: "CONNECT_BACKOFF",
        metadata: { next_try_ms: expect.stringMatching(/^\d{1,4}$/) },
      });
      await using listener = await engine.listen({ host, port: 0, handler });
      await using other = engine.connect(`${host}:${listener.port}`);
      expect(await ask(other)).toBe(200);
    });

    test("a server that restarts is found again soon", async () => {
      const port = await freePort();
      await using session = engine.connect(`${host}:${port}`);
      await failureOf(session);
      await using _listener = await engine.listen({ host, port, handler });
      await vi.waitFor(async () => expect(await ask(session)).toBe(200), soon);
      expect(session.state).toBe("ready");
    });

    test("requests that wait for one connection share its failure, and the endpoint is tried once", async () => {
      let tries = 0;
      const rude = createServer((socket) => {
        tries++;
        socket.on("error", () => {}).destroy();
      });
      const port = await freePort();
      await new Promise<void>((resolve) => rude.listen(port, host, resolve));
      await using session = engine.connect(`${host}:${port}`);
      const failures = await Promise.all(Array.from({ length: 20 }, () => failureOf(session)));
      expect(new Set(failures.map((failure) => errorReason(failure)?.reason))).toEqual(new Set(["CONNECT_FAILED"]));
      expect(tries).toBe(1);
      rude.close();
    });
  },
);
