const wanted = "has to be empty or a Redis URL such as redis://user:password@host:6379/0; rediss:// speaks TLS";

/** REDIS_URL as it stands, or an Error whose message reads on after the variable's name and never repeats a password. */
export function checkRedisUrl(redisUrl: string): string {
  if (redisUrl === "") return redisUrl;
  const url = URL.parse(redisUrl);
  if (url === null || !["redis:", "rediss:"].includes(url.protocol)) throw new Error(wanted);
  if (url.hostname === "") throw new Error(`names no host; it ${wanted}`);
  if (!/^(\/\d*)?$/.test(url.pathname)) throw new Error(`names a database that is no number; it ${wanted}`);
  return redisUrl;
}

/** The URL without its password, for messages. */
export function shownRedisUrl(redisUrl: string): string {
  const url = new URL(redisUrl);
  if (url.password !== "") url.password = "***";
  return url.href;
}
