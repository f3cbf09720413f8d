import { connect } from "node:http2";
import type { Addresses, Call } from "../load.ts";
import { asks } from "../sample.ts";

/** What any client over `node:http2` pays at least: constant bytes out, nothing decoded. */
export async function open([address]: Addresses): Promise<Call> {
  const session = connect(`http://${address}`);
  const { path, frame } = asks.unary();
  const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc+proto", te: "trailers" };
  return () =>
    new Promise((resolve, reject) => {
      const stream = session.request(headers);
      stream.once("error", reject).once("close", resolve).resume();
      stream.end(frame);
    });
}
