import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../../../../gen/google/rpc/error_details_pb.ts";
import { type EchoService, failureText, metadataNames, reason } from "./contract.ts";
import { digest, piece } from "./pieces.ts";

/** What a server is asked about itself, or told, by unary calls with these texts. */
export function createBystander() {
  const told = { stopped: 0, pulled: 0 };
  let gate = Promise.withResolvers<void>();
  return {
    told,
    /** Resolves at the next "release"; what is held until then does not read. */
    held: () => gate.promise,
    /** The answer to "stopped", "pulled" and "release"; `undefined` if it is none of these. */
    answer(text: string): { count: number } | undefined {
      if (text === "stopped" || text === "pulled") return { count: told[text] };
      if (text !== "release") return undefined;
      gate.resolve();
      gate = Promise.withResolvers();
      return { count: 0 };
    },
  };
}

const bystander = createBystander();

/** The service, by Connect: our server's and connect-node's. */
export const echo: ServiceImpl<typeof EchoService> = {
  async unary(request, context) {
    if (request.text === "fail") throw failure();
    if (request.text === "wait") await untilStopped(context);
    if (request.text === "left") return { count: Math.round(context.timeoutMs() ?? -1) };
    repeat(context);
    return bystander.answer(request.text) ?? request;
  },
  async *serve({ data, text, count }, context) {
    repeat(context);
    for (let i = 0; i < count; i++) {
      if (text === "pieces") bystander.told.pulled = i + 1;
      yield { data: text === "pieces" ? piece(i) : data, count: i };
    }
    if (text === "fail") throw failure();
    if (text === "wait") await untilStopped(context);
  },
  async collect(requests, context) {
    repeat(context);
    const sum = digest();
    let [count, messages] = [0, 0];
    for await (const { data, text } of requests) {
      sum.add(data);
      count += data.length;
      messages++;
      if (text === "hold") await bystander.held();
      if (text === "last") break; // though the peer may have more to say
    }
    return { count, text: `${messages} ${sum.hex()}` };
  },
  async *talk(requests, context) {
    repeat(context);
    let after = 0;
    for await (const request of requests) {
      yield request;
      if (request.text === "after") after = request.count;
      if (request.text === "last") return; // though the peer may have more to say
    }
    for (let i = 0; i < after; i++) yield { text: "after", count: i };
  },
};

function repeat(context: HandlerContext): void {
  for (const name of metadataNames) {
    const value = context.requestHeader.get(name);
    if (value === null) continue;
    context.responseHeader.set(`head-${name}`, value);
    context.responseTrailer.set(`tail-${name}`, value);
  }
}

function failure(): ConnectError {
  const metadata = { why: "gone", "why-bin": "AP+A" };
  return new ConnectError(failureText, Code.NotFound, metadata, [{ desc: ErrorInfoSchema, value: reason }]);
}

async function untilStopped({ signal }: HandlerContext): Promise<void> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  bystander.told.stopped++;
  signal.throwIfAborted();
}
