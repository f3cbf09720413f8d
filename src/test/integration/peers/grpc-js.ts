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
import { ErrorInfoSchema } from "../../../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../../../gen/google/rpc/status_pb.ts";
import { serviceDefinitionOf } from "../../../interop/grpc-js.ts";
import { type Echo, EchoService, failureText, metadataNames, reason } from "./contract.ts";
import { createBystander } from "./echo.ts";
import { digest, piece } from "./pieces.ts";
import type { Certificate } from "./places.ts";

const bystander = createBystander();

/** The echo service, as grpc-js answers it. */
const echo = {
  unary(call: ServerUnaryCall<Echo, object>, done: sendUnaryData<object>) {
    const { text } = call.request;
    if (text === "fail") return done(failure());
    if (text === "wait") return call.on("cancelled", () => bystander.told.stopped++);
    if (text === "left") return done(null, { count: Math.round(Number(call.getDeadline()) - Date.now()) });
    call.sendMetadata(renamed(call.metadata, "head-"));
    return done(null, bystander.answer(text) ?? call.request, renamed(call.metadata, "tail-"));
  },
  async serve(call: ServerWritableStream<Echo, object>) {
    const { count, data, text } = call.request;
    call.sendMetadata(renamed(call.metadata, "head-"));
    for (let i = 0; i < count; i++) {
      if (text === "pieces") bystander.told.pulled = i + 1;
      const hasRoom = call.write({ data: text === "pieces" ? piece(i) : data, count: i });
      if (!hasRoom) await new Promise((resolve) => call.once("drain", resolve));
    }
    if (text === "fail") call.emit("error", failure());
    else if (text === "wait") call.on("cancelled", () => bystander.told.stopped++);
    else call.end(renamed(call.metadata, "tail-"));
  },
  async collect(call: ServerReadableStream<Echo, object>, done: sendUnaryData<object>) {
    call.sendMetadata(renamed(call.metadata, "head-"));
    const sum = digest();
    let [count, messages] = [0, 0];
    for await (const { data, text } of call as AsyncIterable<Echo>) {
      sum.add(data);
      count += data.length;
      messages++;
      if (text === "hold") await bystander.held();
      if (text === "last") break;
    }
    done(null, { count, text: `${messages} ${sum.hex()}` }, renamed(call.metadata, "tail-"));
  },
  async talk(call: ServerDuplexStream<Echo, object>) {
    call.sendMetadata(renamed(call.metadata, "head-"));
    let after = 0;
    call.on("data", (message: Echo) => {
      if (!call.write(message)) {
        call.pause();
        call.once("drain", () => call.resume());
      }
      if (message.text === "after") after = message.count;
      if (message.text === "last") call.end(renamed(call.metadata, "tail-"));
    });
    call.on("end", () => {
      for (let i = 0; i < after; i++) call.write({ text: "after", count: i });
      call.end(renamed(call.metadata, "tail-"));
    });
  },
};

/** Opens a server of grpc-js on a free port. */
export async function openGrpcJs(tls?: Certificate): Promise<AsyncDisposable & { readonly address: string }> {
  const server = new Server();
  server.addService(serviceDefinitionOf(EchoService) as never, echo as never);
  const secured = (pair: Certificate) =>
    ServerCredentials.createSsl(null, [{ private_key: Buffer.from(pair.key), cert_chain: Buffer.from(pair.cert) }]);
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, at: number) => (error ? reject(error) : resolve(at));
    server.bindAsync("127.0.0.1:0", tls ? secured(tls) : ServerCredentials.createInsecure(), bound);
  });
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => server.forceShutdown() };
}

function renamed(metadata: Metadata, prefix: string): Metadata {
  const made = new Metadata();
  for (const name of metadataNames) for (const value of metadata.get(name)) made.add(prefix + name, value);
  return made;
}

function failure() {
  const details = [anyPack(ErrorInfoSchema, create(ErrorInfoSchema, reason))];
  const told = create(StatusSchema, { code: status.NOT_FOUND, message: failureText, details });
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, told)));
  metadata.set("why", "gone");
  metadata.set("why-bin", Buffer.from([0, 255, 128]));
  return Object.assign(new Error(told.message), { code: status.NOT_FOUND, details: told.message, metadata });
}
