/** CPU that a process used, in microseconds, and its memory in bytes. */
export interface Usage {
  readonly cpuUs: number;
  readonly rssBytes: number;
}

/** In a child: answers its parent. `ready` is told once; "usage" is answered each time it is asked. */
export function answerParent<T>({
  ready,
  onMessage,
}: {
  ready: T;
  onMessage?: (message: unknown) => Promise<unknown>;
}) {
  process.on("message", (message) => {
    const answer = message === "usage" ? Promise.resolve(usage()) : onMessage?.(message);
    void answer?.then((value) => process.send?.({ answer: value }));
  });
  process.on("disconnect", () => process.exit(0));
  process.send?.({ answer: ready });
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuUs: user + system, rssBytes: process.memoryUsage.rss() };
}
