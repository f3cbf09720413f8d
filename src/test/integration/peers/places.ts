import { selfSigned } from "../../../testing/certificate.ts";
import { openTestServer } from "../../../testing/open-server.ts";
import type { Engine } from "../../../wire/engine.ts";
import { engines } from "../../../wire/engines.ts";
import { bodies } from "./bodies.ts";
import { EchoService } from "./contract.ts";
import { echo } from "./echo.ts";

/** A key and its certificate, as PEM texts. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** What our side stands on: one of our engines, in the clear or over TLS. */
export interface Place {
  readonly engine: Engine;
  readonly tls?: Certificate;
}

/** One certificate for all of a file's servers: for "localhost" and 127.0.0.1. */
export const certificate: Certificate = selfSigned();

/** Every engine, in the clear and over TLS, by name: "own, TLS". */
export const places: readonly (readonly [name: string, place: Place])[] = Object.entries(engines).flatMap(
  ([name, engine]) => [
    [`${name}, cleartext`, { engine }] as const,
    [`${name}, TLS`, { engine, tls: certificate }] as const,
  ],
);

/** A server of ours, with the echo service and the bodies of plain HTTP. */
export async function openOurs({ engine, tls }: Place) {
  const server = await openTestServer([[EchoService, echo]], { engine, fallback: bodies, ...(tls && { tls }) });
  return Object.assign(server, { baseUrl: `${tls ? "https" : "http"}://${server.address}` });
}
