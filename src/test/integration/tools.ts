import { spawn } from "node:child_process";
import { join } from "node:path";

/** What a command-line tool wrote, and how it ended. */
export interface ToolResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const root = join(import.meta.dirname, "../../..");

/** Runs `buf curl`, which learns the contracts by reflection. */
export function bufCurl(url: string, ...options: readonly string[]): Promise<ToolResult> {
  return run(join(root, "node_modules/.bin/buf"), ["curl", "--http2-prior-knowledge", ...options, url]);
}

/** Runs grpcurl without TLS. HEDDLE_TEST_GRPCURL says where it is; without it the test fails rather than pass unrun. */
export function grpcurl(...args: readonly string[]): Promise<ToolResult> {
  const file = process.env.HEDDLE_TEST_GRPCURL;
  if (!file) {
    const how = "go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3, or run `make test-integration`";
    throw new Error(`HEDDLE_TEST_GRPCURL is not set: it has to be the path of grpcurl; ${how}`);
  }
  return run(file, ["-plaintext", ...args]);
}

function run(file: string, args: readonly string[]): Promise<ToolResult> {
  const child = spawn(file, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout: out.join(""), stderr: err.join("") }));
  });
}
