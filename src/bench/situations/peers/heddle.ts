import { openMesh } from "../../../mesh/mesh.ts";
import { staticResolver } from "../../../mesh/resolve/static.ts";
import { type OpenPeer, question } from "./peer.ts";

/** As it comes. */
export const open: OpenPeer = async (service, addresses) => {
  const mesh = await openMesh({ resolver: staticResolver({ [service.typeName]: addresses }) });
  const client = mesh.client(service);
  return (method, signal) => client[method](question, signal && { signal });
};
