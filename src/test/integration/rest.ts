/** An answer of the gateway, its body read. */
export interface RestAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Sends JSON, or a GET without a body, over connections that are kept alive; whatever the status is, it is the answer. */
export async function rest(
  address: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<RestAnswer> {
  const response = await fetch(`http://${address}${path}`, {
    headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** The same for what has to succeed: another status is an error with what was answered. */
export async function restOk(...asked: Parameters<typeof rest>): Promise<RestAnswer["body"]> {
  const [, path] = asked;
  const answer = await rest(...asked);
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}
