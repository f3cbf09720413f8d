const wanted = "has to be empty or a RabbitMQ URL such as amqp://user:password@host:5672/vhost; amqps:// speaks TLS";

/** AMQP_URL as it stands, or an Error whose message reads on after the variable's name and never repeats a password. */
export function checkAmqpUrl(amqpUrl: string): string {
  if (amqpUrl === "") return amqpUrl;
  const url = URL.parse(amqpUrl);
  if (url === null || !["amqp:", "amqps:"].includes(url.protocol)) throw new Error(wanted);
  if (url.hostname === "") throw new Error(`names no host; it ${wanted}`);
  if (url.pathname.slice(1).includes("/")) {
    throw new Error(`names a virtual host with a "/" in it, which is written %2F; it ${wanted}`);
  }
  return amqpUrl;
}

/** Host and port of a URL that was checked, for messages: nothing of it is secret. */
export function brokerOf(amqpUrl: string): string {
  const url = new URL(amqpUrl);
  return `${url.hostname}:${url.port || (url.protocol === "amqps:" ? "5671" : "5672")}`;
}
