import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { jsonLogger } from "../base/log.ts";
import { selfSigned } from "../testing/certificate.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { type CertificatePair, Certificates } from "./certificates.ts";

const [first, second] = [selfSigned(), selfSigned()];

/** Files of the first pair, followed, with what was shown and told since. */
function openFiles() {
  const dir = mkdtempSync(join(tmpdir(), "heddle-tls-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const [certFile, keyFile] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  const write = (cert: string, key: string) => {
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
  };
  write(first.cert, first.key);
  const [clock, lines, shown] = [fakeClock(), [] as string[], [] as CertificatePair[]];
  const log = jsonLogger({ write: (line) => lines.push(line) });
  const open = () => new Certificates({ certFile, keyFile, clock, log });
  return { certFile, keyFile, write, clock, lines, shown, open };
}

test("a pair that changes is shown within two seconds, and told of", async () => {
  const { write, clock, shown, lines, open } = openFiles();
  using certificates = open();
  certificates.follow((pair) => shown.push(pair));
  expect(certificates.pair).toEqual(first);
  await clock.advance(10_000);
  expect(shown).toEqual([]);
  write(second.cert, second.key);
  await clock.advance(2_000);
  expect([shown, certificates.pair]).toEqual([[second], second]);
  expect(lines.join()).toMatch(/a new certificate is shown.*CN=localhost/);
});

test("a certificate without its key, or half of one, is refused once, and taken when it is whole", async () => {
  const { certFile, keyFile, write, clock, shown, lines, open } = openFiles();
  using certificates = open();
  certificates.follow((pair) => shown.push(pair));
  writeFileSync(certFile, second.cert);
  await clock.advance(10_000);
  writeFileSync(certFile, second.cert.slice(0, 200));
  await clock.advance(10_000);
  rmSync(keyFile);
  await clock.advance(10_000);
  expect([shown, certificates.pair]).toEqual([[], first]);
  expect(lines.map((line) => JSON.parse(line).problem)).toEqual([
    expect.stringMatching(/key.pem is not the key of .*cert.pem/),
    expect.stringMatching(/cert.pem cannot be read as PEM/),
    expect.stringMatching(/ENOENT/),
  ]);
  write(second.cert, second.key);
  await clock.advance(2_000);
  expect(shown).toEqual([second]);
});

test("a pair that the port does not take is refused, and the files are looked at on", async () => {
  const { write, clock, shown, lines, open } = openFiles();
  using certificates = open();
  let fails = true;
  certificates.follow((pair) => {
    if (fails) throw new Error("ca md too weak");
    shown.push(pair);
  });
  write(second.cert, second.key);
  await clock.advance(2_000);
  expect(certificates.pair).toEqual(first);
  expect(lines.join()).toContain("ca md too weak");
  fails = false;
  await clock.advance(2_000);
  expect(shown).toEqual([second]);
});

test("files that cannot be used stop the start, and say which", () => {
  const { certFile, keyFile, open } = openFiles();
  writeFileSync(keyFile, second.key);
  expect(open).toThrow(/key.pem is not the key of .*cert.pem/);
  writeFileSync(keyFile, "nonsense");
  expect(open).toThrow(/key.pem cannot be read as PEM/);
  rmSync(certFile);
  expect(open).toThrow(/ENOENT.*cert.pem/);
});

test("who is disposed of follows nothing any more", async () => {
  const { write, clock, shown, open } = openFiles();
  const certificates = open();
  certificates.follow((pair) => shown.push(pair));
  certificates[Symbol.dispose]();
  write(second.cert, second.key);
  await clock.advance(10_000);
  expect([shown, clock.pending]).toEqual([[], 0]);
});
