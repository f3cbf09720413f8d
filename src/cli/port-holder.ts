import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process that listens at a port. */
export interface PortHolder {
  readonly pid: number;
  /** How it was started. */
  readonly command: string;
}

/** Who listens at a TCP port of this machine, as far as Linux lets us see it; `undefined` elsewhere. */
export function portHolder(port: number): PortHolder | undefined {
  const inodes = new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) => listeners(file, port)));
  if (inodes.size === 0) return undefined;
  const pid = list("/proc").find((entry) => /^\d+$/.test(entry) && holds(entry, inodes));
  return pid === undefined ? undefined : { pid: Number(pid), command: commandOf(pid) };
}

/** Inodes of the sockets that listen at the port: state 0A, the port in hexadecimal (proc_net_tcp). */
function listeners(file: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const rows = text(file)
    .split("\n")
    .map((row) => row.trim().split(/\s+/));
  return rows.flatMap(([, local, , state, , , , , , inode]) =>
    local?.endsWith(`:${hex}`) && state === "0A" && inode !== undefined ? [inode] : [],
  );
}

function holds(pid: string, inodes: ReadonlySet<string>): boolean {
  return list(`/proc/${pid}/fd`).some((fd) => {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`)) ?? [];
    return inode !== undefined && inodes.has(inode);
  });
}

const commandOf = (pid: string) => text(`/proc/${pid}/cmdline`).split("\0").join(" ").trim();

const list = (folder: string) => attempt(() => readdirSync(folder), []);
const text = (file: string) => attempt(() => readFileSync(file, "utf8"), "");
const link = (path: string) => attempt(() => readlinkSync(path), "");

/** Processes end while one looks, and others' are not ours to see: then there is nothing. */
function attempt<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
