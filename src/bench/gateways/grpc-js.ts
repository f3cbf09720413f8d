import { ordersAt } from "../clients/grpc-js.ts";
import { type Behind, openByHand } from "./behind.ts";

/** `node:http` in front, grpc-js behind, nothing else. */
export function open({ upstream }: Behind): Promise<number> {
  return openByHand(ordersAt(upstream));
}
