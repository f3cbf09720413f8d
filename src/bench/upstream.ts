/** What gateways stand before, as a process of its own: discovery and one instance of the order service, both real. */
import { create } from "@bufbuild/protobuf";
import { CreateOrderResponseSchema, OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { openTown } from "../test/suites/gateway-parts.ts";
import { answerParent } from "./answer-parent.ts";
import { sample } from "./sample.ts";

const town = await openTown();
const created = create(CreateOrderResponseSchema, { order: sample.order });
const { port } = await town.join("order", [[OrderService, { getOrder: () => sample, createOrder: () => created }]]);
answerParent({ ready: { upstream: `127.0.0.1:${port}`, discovery: town.address } });
