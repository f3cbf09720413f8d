import { FieldHeaders } from "./field-headers.ts";

/** Header fields as HTTP/2 has them: names, in lower case, and values in turn. */
export type Fields = readonly string[];

/** Fields that belong to one HTTP/1.1 connection and have no place in HTTP/2 (RFC 9113 §8.2.2). */
const ofConnection = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);

/** Header fields without the pseudo ones. */
export function headersOf(fields: Fields): Headers {
  const own: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (name.charCodeAt(0) !== 0x3a) own.push(name, fields[i + 1] as string);
  }
  return new FieldHeaders(own);
}

/** The value of one field, a pseudo one among others. */
export function fieldOf(fields: Fields, name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1];
  return undefined;
}

/** Headers as fields, behind the pseudo ones. Binary values that `Headers` has joined are apart again, as gRPC's C core wants them. */
export function fieldsOf(pseudo: Fields, headers: Headers | undefined): string[] {
  const fields = [...pseudo];
  if (headers === undefined) return fields;
  headers.forEach((value, name) => {
    if (ofConnection.has(name)) return;
    if (!name.endsWith("-bin")) fields.push(name, value);
    else for (const one of value.split(",")) fields.push(name, one.trim());
  });
  return fields;
}
