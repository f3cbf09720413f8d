import type { OutgoingHttpHeaders } from "node:http";
import type { Http2ServerResponse } from "node:http2";

/**
 * The headers, with binary values that `Headers` has joined apart again: to gRPC's C core and to grpc-go a joined one is
 * base64 gone wrong.
 */
export function apart(headers: OutgoingHttpHeaders | undefined): OutgoingHttpHeaders {
  const made: OutgoingHttpHeaders = { ...headers };
  for (const [name, value] of Object.entries(made)) {
    if (name.endsWith("-bin") && typeof value === "string" && value.includes(",")) made[name] = value.split(/, */);
  }
  return made;
}

/** Has the response send its head and its trailers so; as Connect's adapter writes them, without a status text. */
export function sendApart(response: Http2ServerResponse): void {
  const { writeHead, addTrailers } = response;
  const head = (status: number, headers?: OutgoingHttpHeaders) =>
    writeHead.call(response, status, apart(headers) as never);
  Object.assign(response, { writeHead: head });
  response.addTrailers = (trailers) => addTrailers.call(response, apart(trailers));
}
