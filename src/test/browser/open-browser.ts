import { accessSync, constants } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** As it starts anywhere, as root too, without a word to anybody outside this machine. */
const quietly = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts the Chromium of HEDDLE_TEST_CHROMIUM, headless, with a profile that is its own and gone afterwards. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), headless: true, chromiumSandbox: false, args: quietly });
}

function chromiumPath(): string {
  const path = process.env.HEDDLE_TEST_CHROMIUM ?? "";
  const how = "run these tests by `make test-browser`, or set HEDDLE_TEST_CHROMIUM=/path/to/chromium";
  if (path === "") throw new Error(`no Chromium to test with: ${how}`);
  try {
    accessSync(path, constants.X_OK);
  } catch (cause) {
    throw new Error(`HEDDLE_TEST_CHROMIUM=${path} is no program: ${how}`, { cause });
  }
  return path;
}
