import { createNiceClient } from "../../../interop/nice-grpc.ts";
import { staticResolver } from "../../../mesh/resolve/static.ts";
import { type OpenPeer, question } from "./peer.ts";

/** Round robin, with its middlewares for deadlines and repeats, set as the contract says: a timeout for each attempt, too. */
export const open: OpenPeer = async (service, addresses) => {
  const resolver = staticResolver({ [service.typeName]: addresses });
  const client = await createNiceClient(service, { resolver });
  return (method, signal) => client[method](question, signal && { signal });
};
