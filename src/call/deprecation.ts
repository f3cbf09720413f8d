import type { Deprecation as DeprecationMessage } from "../../gen/heddle/policy/v1/policy_pb.ts";

/** What answers of a deprecated method tell of it: header fields, ready to be sent. */
export interface Deprecation {
  /** When it became deprecated, or will: https://www.rfc-editor.org/rfc/rfc9745 */
  readonly sinceSeconds: number;
  /** When it may be gone, in milliseconds since the epoch: https://www.rfc-editor.org/rfc/rfc8594 */
  readonly sunsetAt: number | undefined;
  /** Where its successor is found; may be empty. */
  readonly successor: string;
  /** Where people read how to move on; may be empty. */
  readonly documentation: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** The fields that answers carry, in lower case. A day begins at midnight UTC, and one that sunsets is still whole. */
export function deprecationOf({ since, sunset, successor, documentation }: DeprecationMessage): Deprecation {
  const sinceSeconds = (dayAt(since) ?? 0) / 1_000;
  const sunsetAt = dayAt(sunset);
  const links = [
    ...(successor ? [`<${successor}>; rel="successor-version"`] : []),
    ...(documentation ? [`<${documentation}>; rel="deprecation"; type="text/html"`] : []),
  ];
  const fields: [string, string][] = [["deprecation", `@${sinceSeconds}`]];
  if (sunsetAt !== undefined) fields.push(["sunset", new Date(sunsetAt).toUTCString()]);
  if (links.length > 0) fields.push(["link", links.join(", ")]);
  return { sinceSeconds, sunsetAt, successor, documentation, fields };
}

/** What is wrong with it, or nothing. */
export function deprecationComplaint({ since, sunset, successor, documentation }: DeprecationMessage) {
  const [from, to] = [dayAt(since), dayAt(sunset)];
  if (from === undefined) return `deprecation.since is "${since}"; it has to be a day, as "2026-12-01"`;
  if (sunset !== "" && to === undefined)
    return `deprecation.sunset is "${sunset}"; it has to be a day, as "2027-12-01"`;
  if (to !== undefined && to < from) return `deprecation.sunset (${sunset}) is before deprecation.since (${since})`;
  return notAddress("successor", successor) ?? notAddress("documentation", documentation);
}

function notAddress(name: string, address: string): string | undefined {
  if (address === "" || /^(?:https:\/)?\/[\w\-./~:@!$&'()*+,;=%?#]*$/.test(address)) return undefined;
  return `deprecation.${name} is "${address}"; it has to be a path, as "/v2/users", or an https URL`;
}

function dayAt(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const at = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(at) || !new Date(at).toISOString().startsWith(text) ? undefined : at;
}
