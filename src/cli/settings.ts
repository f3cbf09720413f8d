import { resolve } from "node:path";
import type { EnvReader } from "../base/env.ts";
import { defaultDiscovery } from "../mesh/mesh.ts";

/** What the commands read from the environment. */
export function cliSettings(read: EnvReader) {
  return {
    home: resolve(read.text("HEDDLE_HOME", ".heddle", "folder of data, logs and what runs")),
    discovery: read.text("HEDDLE_DISCOVERY", defaultDiscovery, "host:port of discovery, for status and explain"),
    noColour: read.text("NO_COLOR", "", "if set, no colours") !== "",
  };
}
