import type { Addresses } from "../../load.ts";
import type { MethodName, Stage } from "../contract.ts";

/** Calls a method; rejects if it is not answered well. */
export type Ask = (method: MethodName, signal?: AbortSignal) => Promise<unknown>;

/** Opens a client of a service at these addresses. */
export type OpenPeer = (service: Stage, addresses: Addresses) => Promise<Ask>;

/** What is asked. */
export const question = { text: "how are you?" };
