import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { messageOf } from "../base/message-of.ts";

/** What a port proves itself with, in files of PEM. */
export interface TlsFiles {
  /** The certificate, and below it those that certify it. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Who connects has to show a certificate of this authority. By default nobody has to show any. */
  readonly clientCaFile?: string;
}

/** The content of the files: a pair that fits together. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
}

/** What following certificates needs. */
export interface CertificatesOptions extends TlsFiles {
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often the files are looked at. */
const lookMs = 2_000;

/**
 * A certificate and its key from files, followed while they change. Both are taken together or not at all: a file that
 * is half written, or a key of another certificate, is refused with a line in the log, and what there was stays.
 */
export class Certificates implements Disposable {
  readonly #options: CertificatesOptions;
  #pair: CertificatePair;
  #mark: string;
  #complaint = "";
  #timer: Timer | undefined;

  /** Throws if the files cannot be used: a server does not start with them. */
  constructor(options: CertificatesOptions) {
    this.#options = options;
    this.#mark = markOf(options);
    this.#pair = readPair(options);
  }

  /** The pair that counts now. */
  get pair(): CertificatePair {
    return this.#pair;
  }

  /** Gives `use` each pair that comes after, until disposed of. One that `use` throws at is refused, too. */
  follow(use: (pair: CertificatePair) => void): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(lookMs, () => {
      this.#look(use);
      this.follow(use);
    });
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #look(use: (pair: CertificatePair) => void): void {
    const { certFile, log } = this.#options;
    try {
      const mark = markOf(this.#options);
      if (mark === this.#mark) return;
      const pair = readPair(this.#options);
      use(pair);
      this.#pair = pair;
      this.#mark = mark; // only now: what was refused is tried again until it fits
      this.#complaint = "";
      const { subject, validTo } = new X509Certificate(pair.cert);
      log.info("a new certificate is shown from now on", { certFile, subject, until: validTo });
    } catch (reason) {
      this.#complain(messageOf(reason));
    }
  }

  /** Once for each problem, not every two seconds. */
  #complain(problem: string): void {
    if (problem === this.#complaint) return;
    this.#complaint = problem;
    this.#options.log.warn("a new certificate was refused; the old one is shown on", { problem });
  }
}

/** Another one means other content. */
function markOf({ certFile, keyFile, clientCaFile }: TlsFiles): string {
  const files = [certFile, keyFile, clientCaFile].filter((path) => path !== undefined);
  return files
    .map((path) => statSync(path))
    .map(({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`)
    .join();
}

function readPair({ certFile, keyFile, clientCaFile }: TlsFiles): CertificatePair {
  const cert = readFileSync(certFile, "utf8");
  const key = readFileSync(keyFile, "utf8");
  const certificate = parsed(certFile, () => new X509Certificate(cert));
  const privateKey = parsed(keyFile, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) throw new Error(`${keyFile} is not the key of ${certFile}`);
  if (clientCaFile === undefined) return { cert, key };
  const clientCa = readFileSync(clientCaFile, "utf8");
  parsed(clientCaFile, () => new X509Certificate(clientCa));
  return { cert, key, clientCa };
}

function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new Error(`${path} cannot be read as PEM`);
  }
}
