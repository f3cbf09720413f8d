import { connect, createServer, type Socket } from "node:net";

/** Where a connection through the proxy breaks. */
export type Cut =
  /** Nowhere. */
  | "never"
  /** The client's message arrives nowhere. */
  | "before"
  /** The server does what the message says, and its answer arrives nowhere. */
  | "after";

/** A way to a server that breaks at a message chosen by what it says. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  /** How often clients have sent something so far. */
  readonly sent: number;
  /** From now on, connections break at messages that contain `text`. */
  cut(where: Cut, text: string): void;
}

/** Opens a proxy to a port of this machine. */
export async function openCuttingProxy(targetPort: number): Promise<CuttingProxy> {
  let [where, text]: [Cut, string] = ["never", ""];
  let sent = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect(targetPort, "127.0.0.1");
    let isCut = false;
    const end = () => {
      client.destroy();
      target.destroy();
    };
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on("error", end).on("close", end);
    }
    client.on("data", (data) => {
      sent++;
      isCut ||= where !== "never" && data.includes(text);
      if (isCut && where === "before") end();
      else target.write(data);
    });
    target.on("data", (data) => (isCut ? end() : client.write(data)));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    get sent() {
      return sent;
    },
    cut(at, what) {
      [where, text] = [at, what];
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
