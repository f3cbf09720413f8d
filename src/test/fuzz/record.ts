/** Writes the examples that come from real peers: `node src/test/fuzz/record.ts`. What they say is kept, not when. */
import { once } from "node:events";
import * as http2 from "node:http2";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import * as grpc from "@grpc/grpc-js";
import { keep } from "./corpus.ts";

/** The bytes of one connection, both ways. */
interface Recorded {
  readonly sent: Buffer[];
  readonly answered: Buffer[];
}

async function listening(server: Server | http2.Http2Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

/** Lets `talk` speak to `port` through a wire that writes down what passes. */
async function recorded(port: number, talk: (port: number) => Promise<unknown>): Promise<Recorded> {
  const record: Recorded = { sent: [], answered: [] };
  const tap = (from: Socket, to: Socket, into: Buffer[]) => {
    from.on("data", (bytes) => {
      into.push(bytes);
      to.write(bytes);
    });
    from.on("close", () => to.destroy()).on("error", () => to.destroy());
  };
  const proxy = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    tap(near, far, record.sent);
    tap(far, near, record.answered);
  });
  await talk(await listening(proxy));
  await new Promise((resolve) => setTimeout(resolve, 100));
  proxy.close();
  return record;
}

const save = (name: string, { sent, answered }: Recorded, who: readonly [string, string]) => {
  const [sentBytes, answeredBytes] = [Buffer.concat(sent), Buffer.concat(answered)];
  keep("http2-server", { name, bytes: sentBytes }, `What ${who[0]} sends: ${name.replaceAll("-", " ")}.`);
  keep("http2-client", { name, bytes: answeredBytes }, `What ${who[1]} answers: ${name.replaceAll("-", " ")}.`);
};

// ---- node:http2, both ends ----

const node = http2.createServer();
node.on("stream", (stream: http2.ServerHttp2Stream, headers) => {
  stream.on("error", () => {});
  if (headers[":path"] === "/refused") return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  if (headers[":path"] === "/hints") stream.additionalHeaders({ ":status": 103, link: "</style.css>" });
  stream.respond(
    { ":status": 200, "content-type": "text/plain", "x-many": "a".repeat(300) },
    { waitForTrailers: true },
  );
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "fine" }));
  stream.pipe(stream);
});
const nodePort = await listening(node);

async function nodeClient(port: number, talk: (session: http2.ClientHttp2Session) => Promise<unknown>): Promise<void> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  await talk(session);
  session.close();
  await once(session, "close");
}
const post = async (session: http2.ClientHttp2Session, path: string, body: string) => {
  const stream = session.request({ ":method": "POST", ":path": path, "x-token": "t".repeat(40) });
  stream.on("error", () => {});
  stream.end(body);
  return text(stream).catch(() => "");
};
const nodeTalks = {
  "node-three-echoes": async (session: http2.ClientHttp2Session) => {
    for (const body of ["one", "two", "x".repeat(1_500)]) await post(session, "/echo", body);
  },
  "node-at-once-and-refused": (session: http2.ClientHttp2Session) =>
    Promise.all(["/large", "/refused", "/hints", "/early", "/hold/"].map((path) => post(session, path, "body"))),
  "node-ping-settings-and-cancel": async (session: http2.ClientHttp2Session) => {
    const stream = session.request({ ":method": "POST", ":path": "/hold" });
    stream.on("error", () => {});
    stream.write("begun");
    await new Promise<void>((resolve) => session.ping(() => resolve()));
    session.settings({ initialWindowSize: 1_000, headerTableSize: 0 });
    await once(session, "localSettings");
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await post(session, "/settings", "after");
  },
};
for (const [name, talk] of Object.entries(nodeTalks)) {
  const record = await recorded(nodePort, (port) => nodeClient(port, talk));
  save(name, record, ["node:http2", "node:http2"]);
}
node.close();

// ---- grpc-js, both ends ----

const asIs = { serialize: (bytes: Buffer) => bytes, deserialize: (bytes: Buffer) => bytes };
const wire = {
  ...{ requestSerialize: asIs.serialize, requestDeserialize: asIs.deserialize },
  ...{ responseSerialize: asIs.serialize, responseDeserialize: asIs.deserialize },
};
const definition: grpc.ServiceDefinition = {
  unary: { path: "/echo", requestStream: false, responseStream: false, ...wire },
  both: { path: "/a.B/Both", requestStream: true, responseStream: true, ...wire },
  fails: { path: "/a.B/Fails", requestStream: false, responseStream: false, ...wire },
};
const grpcServer = new grpc.Server();
grpcServer.addService(definition, {
  unary: (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => done(null, call.request),
  both(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
    call.on("data", (message) => call.write(message)).on("end", () => call.end());
  },
  fails: (_call: unknown, done: grpc.sendUnaryData<Buffer>) => done({ code: grpc.status.NOT_FOUND, details: "né pas" }),
});
const bind = grpcServer.bindAsync.bind(grpcServer, "127.0.0.1:0", grpc.ServerCredentials.createInsecure());
const grpcPort = await new Promise<number>((resolve) => bind((_error, port) => resolve(port)));
const record = await recorded(grpcPort, async (port) => {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const unary = (path: string) =>
    new Promise((resolve) =>
      client.makeUnaryRequest(path, asIs.serialize, asIs.deserialize, Buffer.from("hello"), resolve as () => void),
    );
  for (const path of ["/echo", "/a.B/Fails", "/echo"]) await unary(path);
  const both = client.makeBidiStreamRequest("/a.B/Both", asIs.serialize, asIs.deserialize);
  both.on("error", () => {});
  for (let i = 0; i < 4; i++) {
    both.write(Buffer.from(`message ${i}`));
    await once(both, "data");
  }
  both.end();
  await once(both, "end");
  client.close();
});
save("grpc-unary-error-and-stream", record, ["grpc-js", "grpc-js"]);
grpcServer.forceShutdown();
