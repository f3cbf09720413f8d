import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";

/** What a name has. */
export interface DnsRecords {
  readonly a?: readonly string[];
  readonly srv?: readonly {
    readonly name: string;
    readonly port: number;
    readonly priority?: number;
    readonly weight?: number;
  }[];
}

/** A DNS server on this machine, for names that are nowhere else. */
export interface DnsServer extends AsyncDisposable {
  /** "127.0.0.1:port". */
  readonly address: string;
  /** What it answers with, by name; who is not here does not exist. */
  readonly records: Map<string, DnsRecords>;
  /** What it was asked, in order: "A users.internal". */
  readonly asked: string[];
  /** Whether it takes questions and answers none. */
  silent: boolean;
}

/** Kinds of records, and the answer that there is no such name (RFC 1035 §3.2.2, §4.1.1; RFC 2782; RFC 3596). */
const kinds = { A: 1, AAAA: 28, SRV: 33 } as const;
const noSuchName = 3;

/** Opens a DNS server that answers, over UDP, for what is in `records`. */
export async function openDnsServer(records: Readonly<Record<string, DnsRecords>>): Promise<DnsServer> {
  const socket = createSocket("udp4");
  const server = {
    address: "",
    records: new Map(Object.entries(records)),
    asked: [] as string[],
    silent: false,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
  socket.on("message", (query: Buffer, from: RemoteInfo) => {
    const { name, kind, question } = questionOf(query);
    server.asked.push(`${kind} ${name}`);
    if (!server.silent) socket.send(answer(query, question, kind, server.records.get(name)), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  server.address = `127.0.0.1:${socket.address().port}`;
  return server;
}

function questionOf(query: Buffer) {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const number = query.readUInt16BE(at + 1);
  const [kind] = Object.entries(kinds).find(([, value]) => value === number) ?? [`TYPE${number}`];
  return { name: labels.join(".").toLowerCase(), kind, question: query.subarray(12, at + 5) };
}

function answer(query: Buffer, question: Buffer, kind: string, found: DnsRecords | undefined): Buffer {
  const answers = found === undefined ? [] : answersOf(kind, found);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(query.readUInt16BE(0), 0);
  head.writeUInt16BE(0x8580 | (found === undefined ? noSuchName : 0), 2); // an answer, with authority
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(answers.length, 6);
  return Buffer.concat([head, question, ...answers]);
}

function answersOf(kind: string, { a = [], srv = [] }: DnsRecords): Buffer[] {
  if (kind === "A") return a.map((address) => record(kinds.A, Buffer.from(address.split(".").map(Number))));
  if (kind !== "SRV") return [];
  return srv.map(({ name, port, priority = 0, weight = 0 }) => {
    const numbers = Buffer.alloc(6);
    numbers.writeUInt16BE(priority, 0);
    numbers.writeUInt16BE(weight, 2);
    numbers.writeUInt16BE(port, 4);
    return record(kinds.SRV, Buffer.concat([numbers, nameOf(name)]));
  });
}

/** A record of the name that was asked for, which stands at byte 12, good for a minute. */
function record(kind: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(kind, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function nameOf(name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, "latin1"));
  return Buffer.concat([...labels, Buffer.of(0)]);
}
