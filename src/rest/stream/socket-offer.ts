import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { Refusal } from "../refusal.ts";

/** The subprotocol of calls over a WebSocket: text messages of JSON, each a message of the contract. */
export const jsonSubprotocol = "heddle.json";

/** What stands before a token that a page hands over as a subprotocol. */
const bearer = "bearer.";

/**
 * Whose pages may open WebSockets: those of the server's own host, and of the origins that are named, all for `*`. The
 * browser asks nobody before it opens one, as it does for other calls, so it is the server that has to look. Programs
 * other than browsers name no origin.
 */
export function checkOrigin({ header, url }: UniversalServerRequest, origins: readonly string[]): void {
  const origin = header.get("origin");
  if (origin === null || origins.includes("*") || origins.includes(origin)) return;
  if (URL.canParse(origin) && new URL(origin).host === new URL(url).host) return;
  const message = `pages of ${origin} may not open WebSockets here: the gateway's CORS_ORIGINS has to name that origin`;
  throw new Refusal(403, new ConnectError(message, Code.PermissionDenied));
}

/**
 * The subprotocol that is spoken, of those that `Sec-WebSocket-Protocol` offers; `undefined` when it offers none.
 *
 * A page cannot set headers for a WebSocket, so it may offer its token as a subprotocol of the name `bearer.<token>`
 * beside the real one. The token is put where others have it, in `Authorization`, and is never told back.
 */
export function acceptOffer(header: Headers): string | undefined {
  const offered = (header.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  header.delete("sec-websocket-protocol");
  const token = offered.find((name) => name.startsWith(bearer));
  if (token !== undefined && !header.has("authorization")) {
    header.set("authorization", `Bearer ${token.slice(bearer.length)}`);
  }
  if (offered.includes(jsonSubprotocol)) return jsonSubprotocol;
  if (offered.length === 1 && offered[0] === "") return undefined;
  const message = `Sec-WebSocket-Protocol has to offer ${jsonSubprotocol}${token === undefined ? ", or nothing" : " beside the token"}`;
  throw new Refusal(400, new ConnectError(message, Code.InvalidArgument));
}
