import type { EnvReader } from "../base/env.ts";
import type { TlsFiles } from "../security/certificates.ts";

/** The files that a port proves itself with: `{ tlsFiles }` for `serve`, or nothing where it speaks no TLS. */
export function tlsSettings(read: EnvReader): { readonly tlsFiles?: TlsFiles } {
  const about = "certificate in PEM: the port speaks TLS only; a change of the file is taken without a restart";
  const certFile = read.text("TLS_CERT_FILE", "", about);
  /** It means nothing alone, and somebody would think that it did. */
  const beside = (raw: string): string => {
    if (raw !== "" && certFile === "") throw new Error("does nothing without TLS_CERT_FILE");
    return raw;
  };
  const keyAbout = "its private key, in PEM";
  const keyFile =
    certFile === ""
      ? read.parsed("TLS_KEY_FILE", "", keyAbout, beside)
      : read.text("TLS_KEY_FILE", undefined, keyAbout);
  const clientAbout = "authority of which callers have to show a certificate; if empty, they need none";
  const clientCaFile = read.parsed("TLS_CLIENT_CA_FILE", "", clientAbout, beside) ?? "";
  if (certFile === "") return {};
  return { tlsFiles: { certFile, keyFile: keyFile ?? "", ...(clientCaFile !== "" && { clientCaFile }) } };
}
