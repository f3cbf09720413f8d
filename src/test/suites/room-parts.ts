import { randomBytes } from "node:crypto";
import { create, createFileRegistry, type DescService, type MessageInitShape, setExtension } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { http } from "../../../gen/google/api/annotations_pb.ts";
import { HttpRuleSchema } from "../../../gen/google/api/http_pb.ts";
import { MethodPolicySchema, method as policyOption } from "../../../gen/heddle/policy/v1/policy_pb.ts";
import { openServer, type ServerOptions } from "../../server/serve.ts";
import type { Engine } from "../../wire/engine.ts";
import { openTown, until } from "./gateway-parts.ts";

/** What is said in a room: `Note { room, text, count }`. */
export interface Note {
  readonly room: string;
  readonly text: string;
  readonly count: number;
}

/** Methods that stream, each at "/v1/rooms/{room}:<verb>": `Follow`, `Gather` and `Talk`; and one that does not, `Look`. */
export const RoomService = roomContract();

/** The same, of which `Talk` asks for a scope. */
export const GuardedRoomService = roomContract({ access: { scopes: ["talk"] } });

/** A text that nothing on the way can make shorter. */
export const megabyte = randomBytes(768 * 1024).toString("base64");

/** What the rooms have done and seen. */
export class Rooms {
  /** Notes that `Follow` has handed out, and those that `Gather` has taken. */
  sent = 0;
  taken = 0;
  /** Why calls ended before their time. */
  readonly left: string[] = [];
  /** What `Gather` waits for before it reads. */
  gate: Promise<void> = Promise.resolve();

  /** Says `text`, or a megabyte in the room "loud", `count` times. "broken" fails behind the first, "endless" says no more. */
  async *follow({ room, text, count }: Note, context: HandlerContext) {
    this.#watch(context);
    this.sent = 0;
    for (let i = 0; i < count; i++) {
      this.sent++;
      yield { room, text: room === "loud" ? megabyte : text, count: i };
      if (room === "broken") throw new ConnectError("the room is on fire", Code.DataLoss);
      if (room === "endless") await aborted(context.signal);
    }
  }

  /** What was said, put together, and how long it is. */
  async gather(notes: AsyncIterable<Note>, context: HandlerContext) {
    this.#watch(context);
    const all = { room: "", text: "", count: 0 };
    await this.gate;
    for await (const { room, text } of notes) {
      this.taken++;
      all.count += text.length;
      Object.assign(all, { room, text: (all.text + text).slice(0, 100) });
    }
    return all;
  }

  /** Says everything back, louder. "fail" ends it with an error, and the end of what is said with "bye". */
  async *talk(notes: AsyncIterable<Note>, context: HandlerContext) {
    this.#watch(context);
    for await (const { room, text } of notes) {
      if (text === "fail") throw new ConnectError("nobody says that", Code.PermissionDenied);
      yield { room, text: `${text}!` };
    }
    yield { text: "bye" };
  }

  look({ room }: Note) {
    return { room };
  }

  #watch({ signal }: HandlerContext): void {
    signal.addEventListener("abort", () => this.left.push(String(signal.reason.message)), { once: true });
  }
}

/** Rooms that somebody serves: at the service's own port, or behind a gateway. */
export interface OpenRooms extends AsyncDisposable {
  readonly rooms: Rooms;
  /** "127.0.0.1:8000". */
  readonly address: string;
  drain(): Promise<unknown>;
}

/** How they may be served. */
export interface PlaceOptions extends Pick<ServerOptions, "authenticate"> {
  readonly service?: DescService;
  /** Of the gateway; a service's own port has none. */
  readonly corsOrigins?: readonly string[];
}

type OpenPlace = (engine: Engine, options?: PlaceOptions) => Promise<OpenRooms>;

/** The two places at which browsers and others find streams, which have to behave alike. */
export const roomPlaces: readonly (readonly [name: string, open: OpenPlace])[] = [
  ["the service's own port", atService],
  ["the gateway", atGateway],
];

async function atService(engine: Engine, { service = RoomService, ...options }: PlaceOptions = {}): Promise<OpenRooms> {
  const rooms = new Rooms();
  const { corsOrigins: _, ...about } = options;
  const server = await openServer({ services: [[service, implementation(rooms)]], engine, ...about });
  const dispose = () => server[Symbol.asyncDispose]();
  return {
    rooms,
    address: `${server.host}:${server.port}`,
    drain: () => server.drain(5_000),
    [Symbol.asyncDispose]: dispose,
  };
}

async function atGateway(engine: Engine, { service = RoomService, ...options }: PlaceOptions = {}): Promise<OpenRooms> {
  await using own = new AsyncDisposableStack();
  const rooms = new Rooms();
  const town = own.use(await openTown());
  const { authenticate, ...cors } = options;
  const proof = authenticate && { authenticate };
  const entries = [[service, implementation(rooms)]] as const;
  own.use(await town.join("room", entries, { engine, ...proof }));
  const gateway = own.use(await town.gateway({ engine, drainMs: 5_000, ...proof, ...cors }));
  const address = `127.0.0.1:${gateway.port}`;
  await until(
    () => fetch(`http://${address}/v1/rooms/hall`),
    ({ status }) => status === 200,
  );
  const all = own.move();
  return { rooms, address, drain: () => gateway.drain(), [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function implementation(rooms: Rooms) {
  return {
    follow: rooms.follow.bind(rooms),
    gather: rooms.gather.bind(rooms),
    talk: rooms.talk.bind(rooms),
    look: rooms.look,
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

function roomContract(policyOfTalk?: MessageInitShape<typeof MethodPolicySchema>): DescService {
  const { OPTIONAL: label } = FieldDescriptorProto_Label;
  const { STRING, INT32 } = FieldDescriptorProto_Type;
  const fields = Object.entries({ room: STRING, text: STRING, count: INT32 });
  const field = fields.map(([name, type], i) => ({ name, jsonName: name, number: i + 1, label, type }));
  const method = (name: string, path: string, shape = {}, policy?: typeof policyOfTalk) => {
    const options = create(MethodOptionsSchema);
    setExtension(options, http, create(HttpRuleSchema, { pattern: { case: "get", value: path } }));
    if (policy !== undefined) setExtension(options, policyOption, create(MethodPolicySchema, policy));
    return { name, options, inputType: ".room.v1.Note", outputType: ".room.v1.Note", ...shape };
  };
  const both = { clientStreaming: true, serverStreaming: true };
  const file = create(FileDescriptorProtoSchema, {
    name: "room/v1/room.proto",
    package: "room.v1",
    syntax: "proto3",
    messageType: [{ name: "Note", field }],
    service: [
      {
        name: "RoomService",
        method: [
          method("Look", "/v1/rooms/{room}"),
          method("Follow", "/v1/rooms/{room}:follow", { serverStreaming: true }),
          method("Gather", "/v1/rooms/{room}:gather", { clientStreaming: true }),
          method("Talk", "/v1/rooms/{room}:talk", both, policyOfTalk),
        ],
      },
    ],
  });
  const service = createFileRegistry(file, () => undefined).getService("room.v1.RoomService");
  if (service === undefined) throw new Error("the rooms' contract has lost its service");
  return service;
}
