import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { UserService } from "../../../../gen/shop/user/v1/user_pb.ts";
import type { Bus } from "./bus.ts";
import { openDatabase } from "./database.ts";
import { UserOrderRow, UserRow } from "./rows.ts";

interface OrderEvent {
  readonly id: string;
  readonly userId: string;
  readonly status: string;
  readonly committedAt: string;
}

/** The user service: users, and the orders of each by events. */
export async function openUser(databaseUrl: string, bus: Bus): Promise<(router: ConnectRouter) => void> {
  const em = await openDatabase(databaseUrl, [UserRow, UserOrderRow]);
  await bus.consume("user", ["OrderCreated", "OrderConfirmed"], async (type, event: OrderEvent) => {
    const { id: orderId, userId, status, committedAt } = event;
    const order = {
      orderId,
      userId: BigInt(userId),
      status,
      committedAt: new Date(committedAt),
      appliedAt: new Date(),
    };
    const insert = em.fork().createQueryBuilder(UserOrderRow).insert(order).onConflict("orderId");
    // The second event of an order changes its status, and leaves when the first came; should it be the first, that changes nothing.
    await (type === "OrderConfirmed" ? insert.merge(["status"]) : insert.ignore()).execute("run");
  });
  return (router) =>
    router.service(UserService, {
      async createUser({ name, email }) {
        const fork = em.fork();
        const user = fork.create(UserRow, { name, email });
        await fork.flush();
        return { user: { id: BigInt(user.id), name, email } };
      },
      async getUser({ id }) {
        const user = await em.fork().findOne(UserRow, { id: Number(id) });
        if (user === null) throw new ConnectError(`user ${id} does not exist`, Code.NotFound);
        return { user: { id, name: user.name, email: user.email } };
      },
    });
}
