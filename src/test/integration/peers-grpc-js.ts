import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.ts";
import { serviceDefinitionOf } from "../../interop/grpc-js.ts";
import { type Echo, EchoService, reason, stopped } from "./peers-echo.ts";

/** The echo service, as grpc-js answers it. */
const echo = {
  unary(call: ServerUnaryCall<Echo, Echo>, done: sendUnaryData<Echo>) {
    if (call.request.text === "fail") return done(failure());
    if (call.request.text === "wait") return call.on("cancelled", () => stopped.count++);
    call.sendMetadata(renamed(call.metadata, "head-"));
    return done(null, call.request, renamed(call.metadata, "tail-"));
  },
  serve(call: ServerWritableStream<Echo, object>) {
    const { count, data, text } = call.request;
    for (let i = 0; i < count; i++) call.write({ data, count: i });
    if (text === "fail") call.emit("error", failure());
    else if (text === "wait") call.on("cancelled", () => stopped.count++);
    else call.end();
  },
  collect(call: ServerReadableStream<Echo, object>, done: sendUnaryData<object>) {
    let [count, messages] = [0, 0];
    call.on("data", ({ data }: Echo) => {
      count += data.length;
      messages++;
    });
    call.on("end", () => done(null, { count, text: String(messages) }));
  },
  talk(call: ServerDuplexStream<Echo, Echo>) {
    call.on("data", (message: Echo) => {
      call.write(message);
      if (message.text === "last") call.end();
    });
    call.on("end", () => call.end());
  },
};

/** Opens a server of grpc-js on a free port. */
export async function openGrpcJs(): Promise<AsyncDisposable & { readonly address: string }> {
  const server = new Server({ "grpc.max_receive_message_length": -1 });
  server.addService(serviceDefinitionOf(EchoService) as never, echo as never);
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, at: number) => (error ? reject(error) : resolve(at));
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), bound);
  });
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => server.forceShutdown() };
}

function renamed(metadata: Metadata, prefix: string): Metadata {
  const made = new Metadata();
  for (const name of ["plain", "binary-bin"]) for (const value of metadata.get(name)) made.add(prefix + name, value);
  return made;
}

function failure() {
  const details = [anyPack(ErrorInfoSchema, create(ErrorInfoSchema, reason))];
  const told = create(StatusSchema, { code: status.NOT_FOUND, message: "no thing 7: ünï", details });
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, told)));
  return Object.assign(new Error(told.message), { code: status.NOT_FOUND, details: told.message, metadata });
}
