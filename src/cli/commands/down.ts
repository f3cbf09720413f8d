import type { Command } from "../command.ts";
import { typed } from "../plan.ts";
import { signalTo } from "../process-mark.ts";
import { RunFile } from "../run-file.ts";
import { stopParts } from "../stop-parts.ts";

/** `heddle down`: stops what `up` started, and nothing else. */
export const down: Command = {
  name: "down",
  about: "Stop what `up` started; the data stays",
  more: "Parts finish the calls they are answering. One that does not end within 15 s is killed, and that is said.",
  async run({ home, out, clock }) {
    const file = new RunFile(home);
    const state = file.read();
    if (state === undefined) {
      file.remove(); // one that cannot be understood helps nobody
      out.line(`Nothing runs. Start it: ${typed("up")}`);
      return 0;
    }
    if (state.starter) signalTo(state.starter, "SIGKILL"); // or it would go on starting what is stopped here
    const { parts } = file.read() ?? state;
    await stopParts(parts, { clock, out });
    file.remove();
    out.line(`\nAll stopped; the data stays. Start again: ${typed("up")}`);
    return 0;
  },
};
