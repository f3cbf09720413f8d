/** A thread that copies what was committed from a SQLite file's write-ahead log into the file, each time it is told to. */
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import type { CheckpointWork, ThreadMessage } from "./checkpoints.ts";

const { file, sync } = workerData as CheckpointWork;
const url = pathToFileURL(file);
url.searchParams.set("mode", "rw"); // where the file is gone, no other is made
const db = new DatabaseSync(url, { timeout: 0 });
db.exec(`pragma synchronous = ${sync}`);

parentPort?.on("message", (message: ThreadMessage) => {
  if (message === "end") {
    db.close();
    parentPort?.close();
    return;
  }
  try {
    db.exec("pragma wal_checkpoint(passive)");
  } catch {
    // the disk is full or somebody else is at it: what is left stays in the log, and is copied another time
  }
  parentPort?.postMessage("done");
});
