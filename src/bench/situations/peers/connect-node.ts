import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { timeoutMs } from "../contract.ts";
import { type OpenPeer, question } from "./peer.ts";

/** Bare: it knows one address, so that there is a client for each, taken in turn. A deadline, nothing repeated. */
export const open: OpenPeer = async (service, addresses) => {
  const clients = addresses.map((address) =>
    createClient(service, createGrpcTransport({ baseUrl: `http://${address}`, defaultTimeoutMs: timeoutMs })),
  );
  let turn = 0;
  return async (method, signal) => clients[turn++ % clients.length]?.[method](question, signal && { signal });
};
