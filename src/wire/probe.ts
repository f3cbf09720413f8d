import { connect } from "node:net";

/** Resolves when a TCP connection opens (it is closed again); rejects with the system's error or the signal's reason. */
export function tcpProbe(host: string, port: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const socket = connect({ host, port });
    const stop = () => end(() => reject(signal?.reason));
    const end = (settle: () => void) => {
      signal?.removeEventListener("abort", stop);
      socket.destroy();
      settle();
    };
    signal?.addEventListener("abort", stop, { once: true });
    socket.once("connect", () => end(resolve));
    socket.once("error", (error) => end(() => reject(error)));
  });
}

/** Whether somebody listens at a port of this machine. */
export async function portInUse(host: string, port: number): Promise<boolean> {
  return tcpProbe(host, port).then(
    () => true,
    () => false,
  );
}
