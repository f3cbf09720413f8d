/** The server that Connect's conformance suite tries: one port, opened as a message on stdin says, until SIGTERM. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { openServer } from "../../server/serve.ts";
import { frames, writeFrame } from "./frames.ts";
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "./gen/connectrpc/conformance/v1/server_compat_pb.ts";
import { ConformanceService } from "./gen/connectrpc/conformance/v1/service_pb.ts";
import { conformanceService } from "./service.ts";

const { value: asked = new Uint8Array() } = await frames(process.stdin).next();
const { useTls, serverCreds, messageReceiveLimit } = fromBinary(ServerCompatRequestSchema, asked);
const text = (bytes: Uint8Array = new Uint8Array()) => new TextDecoder().decode(bytes);
const { host, port } = await openServer({
  services: [[ConformanceService, conformanceService]],
  ...(useTls && { tls: { key: text(serverCreds?.key), cert: text(serverCreds?.cert) } }),
  ...(messageReceiveLimit > 0 && { maxRequestBytes: messageReceiveLimit }),
});
const pemCert = useTls ? (serverCreds?.cert ?? new Uint8Array()) : new Uint8Array();
const answer = create(ServerCompatResponseSchema, { host, port, pemCert });
writeFrame(process.stdout, toBinary(ServerCompatResponseSchema, answer));
