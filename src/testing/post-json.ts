import { Agent, request } from "node:http";

/** How one request ended: with an answer, or without one. */
export type Ending =
  | { readonly kind: "answered"; readonly status: number; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: "cut off"; readonly reason: string };

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/** Posts JSON over connections that are kept alive. A connection that breaks is an ending like any other. */
export function postJson(address: string, path: string, body: unknown, timeoutMs: number): Promise<Ending> {
  const text = JSON.stringify(body);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  return new Promise((resolve) => {
    const cutOff = (error: Error & { code?: string }) =>
      resolve({ kind: "cut off", reason: error.code ?? error.message });
    const sent = request(`http://${address}${path}`, { agent, method: "POST", headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.once("error", cutOff);
      answer.once("end", () => resolve(read(answer.statusCode ?? 0, Buffer.concat(parts).toString())));
    });
    sent.setTimeout(timeoutMs, () => sent.destroy(new Error("SILENT")));
    sent.once("error", cutOff);
    sent.end(text);
  });
}

function read(status: number, text: string): Ending {
  try {
    return { kind: "answered", status, body: JSON.parse(text) as Record<string, unknown> };
  } catch {
    return { kind: "cut off", reason: "NO_JSON" };
  }
}
