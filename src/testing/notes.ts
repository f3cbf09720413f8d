import { create, createFileRegistry, type Message, setExtension } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { FieldRulesSchema, field as rulesOption } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { type Client, createClient, type Interceptor, type ServiceImpl } from "@connectrpc/connect";
import { openServer, type Server, type ServerOptions } from "../server/serve.ts";
import type { Engine, Session, SessionOptions } from "../wire/engine.ts";
import { grpcTransport } from "../wire/grpc.ts";

/** What all methods take and answer. */
export type Note = Message<"notes.v1.Note"> & { text: string; data: Uint8Array; count: number };

type Method<Kind> = { methodKind: Kind; input: GenMessage<Note>; output: GenMessage<Note> };

/** The made-up service, typed as generated code is. */
type NotesService = GenService<{
  one: Method<"unary">;
  collect: Method<"client_streaming">;
  list: Method<"server_streaming">;
  talk: Method<"bidi_streaming">;
}>;

/** A service with one method of each kind, over notes whose text may not contain "bad". No contract of ours has all four. */
export const Notes = notesService();
/** The type of its messages. */
export const NoteSchema = Notes.method.one.input;

/** What implements the service, in part. */
export type NotesImpl = Partial<ServiceImpl<typeof Notes>>;

/** How a server of notes and a client of it are opened. */
export interface NotesOptions {
  readonly client: Engine;
  readonly server: Engine;
  readonly implementation: NotesImpl;
  readonly serving?: Omit<ServerOptions, "services" | "engine">;
  readonly session?: SessionOptions;
  readonly interceptors?: readonly Interceptor[];
}

/** A server, and a plain gRPC client of it. */
export interface NotesPair extends AsyncDisposable {
  readonly server: Server;
  readonly session: Session;
  readonly notes: Client<typeof Notes>;
}

/** Opens both, each on its engine. */
export async function openNotes({
  client,
  server: engine,
  implementation,
  serving = {},
  session: how = {},
  interceptors = [],
}: NotesOptions): Promise<NotesPair> {
  const server = await openServer({ ...serving, engine, services: [[Notes, implementation]] });
  const session = client.connect(`127.0.0.1:${server.port}`, how);
  return {
    server,
    session,
    notes: createClient(Notes, grpcTransport(session, { interceptors })),
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Reads a stream to its end: the texts of its notes. */
export async function textsOf(messages: AsyncIterable<Note>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of messages) texts.push(text);
  return texts;
}

/** Notes one after the other. */
export async function* notesOf(...texts: readonly string[]): AsyncGenerator<{ text: string }> {
  for (const text of texts) yield { text };
}

function notesService(): NotesService {
  const { STRING, BYTES, INT32 } = FieldDescriptorProto_Type;
  const { OPTIONAL: label } = FieldDescriptorProto_Label;
  const rules = create(FieldRulesSchema, { type: { case: "string", value: { notContains: "bad" } } });
  const options = create(FieldOptionsSchema);
  setExtension(options, rulesOption, rules);
  const field = [
    { name: "text", jsonName: "text", number: 1, label, type: STRING, options },
    { name: "data", jsonName: "data", number: 2, label, type: BYTES },
    { name: "count", jsonName: "count", number: 3, label, type: INT32 },
  ];
  const [inputType, outputType] = [".notes.v1.Note", ".notes.v1.Note"];
  const method = [
    { name: "One", inputType, outputType },
    { name: "Collect", inputType, outputType, clientStreaming: true },
    { name: "List", inputType, outputType, serverStreaming: true },
    { name: "Talk", inputType, outputType, clientStreaming: true, serverStreaming: true },
  ];
  const file = create(FileDescriptorProtoSchema, {
    name: "notes/v1/notes.proto",
    package: "notes.v1",
    syntax: "proto3",
    messageType: [{ name: "Note", field }],
    service: [{ name: "Notes", method }],
  });
  return createFileRegistry(file, () => undefined).getService("notes.v1.Notes") as unknown as NotesService;
}
