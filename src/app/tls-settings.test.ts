import { expect, test } from "vitest";
import { EnvReader } from "../base/env.ts";
import { tlsSettings } from "./tls-settings.ts";

test.each<[Record<string, string>, unknown, readonly string[]]>([
  [{}, {}, []],
  [{ TLS_CERT_FILE: "c", TLS_KEY_FILE: "k" }, { tlsFiles: { certFile: "c", keyFile: "k" } }, []],
  [
    { TLS_CERT_FILE: "c", TLS_KEY_FILE: "k", TLS_CLIENT_CA_FILE: "a" },
    { tlsFiles: { certFile: "c", keyFile: "k", clientCaFile: "a" } },
    [],
  ],
])("%j is %j", (env, expected, complaints) => {
  const read = new EnvReader(env);
  expect([tlsSettings(read), read.complaints]).toEqual([expected, complaints]);
});

test.each([
  [{ TLS_CERT_FILE: "c" }, "TLS_KEY_FILE is not set and has no default"],
  [{ TLS_KEY_FILE: "k" }, "TLS_KEY_FILE=k does nothing without TLS_CERT_FILE"],
  [{ TLS_CLIENT_CA_FILE: "a" }, "TLS_CLIENT_CA_FILE=a does nothing without TLS_CERT_FILE"],
])("half of it is complained of: %j", (env, complaint) => {
  const read = new EnvReader(env as Record<string, string>);
  tlsSettings(read);
  expect(read.complaints).toEqual([complaint]);
});
