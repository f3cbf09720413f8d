import { connect } from "amqplib";
import { deadQueueOf, queueOf } from "../../events/amqp/topology.ts";

/** Deletes what the queues of the services hold, and the queues: a broker that others have used is as new then. */
export async function deleteQueues(amqpUrl: string): Promise<void> {
  const connection = await connect(amqpUrl);
  const channel = await connection.createChannel();
  for (const service of ["user", "catalog", "order"]) {
    for (const queue of [queueOf(service), deadQueueOf(service)]) await channel.deleteQueue(queue);
  }
  await connection.close();
}
