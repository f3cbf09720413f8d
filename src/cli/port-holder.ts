import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process that listens at a port. */
export interface PortHolder {
  readonly pid: number;
  /** How it was started. */
  readonly command: string;
}

/** Who listens at a TCP port of 127.0.0.1, as far as Linux lets us see it; `undefined` elsewhere. */
export function portHolder(port: number): PortHolder | undefined {
  const inodes = new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) => listeners(file, port)));
  if (inodes.size === 0) return undefined;
  const pid = list("/proc").find((entry) => /^\d+$/.test(entry) && holds(entry, inodes));
  return pid === undefined ? undefined : { pid: Number(pid), command: commandOf(pid) };
}

/** 127.0.0.1, any address, and the same two as IPv6 writes them, as proc_net_tcp spells them. */
const local = ["0100007F", "0".repeat(8), "0000000000000000FFFF00000100007F", "0".repeat(32)];

/** Inodes of the sockets that listen at the port: state 0A, the port in hexadecimal (proc_net_tcp). */
function listeners(file: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const addresses = new Set(local.map((address) => `${address}:${hex}`));
  const rows = text(file)
    .split("\n")
    .map((row) => row.trim().split(/\s+/));
  return rows.flatMap(([, address = "", , state, , , , , , inode]) =>
    addresses.has(address) && state === "0A" && inode !== undefined ? [inode] : [],
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
