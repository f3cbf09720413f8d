import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  ServerReflectionRequestSchema as AlphaRequestSchema,
  ServerReflection as ServerReflectionAlpha,
} from "../../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { DescriptorError, FileCollection } from "./contract.ts";

/** How long an instance may take for one round of questions, in milliseconds. */
const roundMs = 2_000;

/** More files than any service has. */
const maxFiles = 1_000;

type Question = Extract<ServerReflectionRequest["messageRequest"], { case: "fileContainingSymbol" | "fileByFilename" }>;
type Answer = Pick<ServerReflectionResponse, "messageResponse">["messageResponse"];

/**
 * Asks a server, by reflection, for the file of a service and for all that it imports, round by round: some servers
 * send the whole closure at once, others file by file.
 */
export async function readFiles(transport: Transport, service: string, signal: AbortSignal): Promise<FileCollection> {
  const ask = asker(transport, signal);
  const files = new FileCollection();
  const asked = new Set<string>();
  let questions: readonly Question[] = [{ case: "fileContainingSymbol", value: service }];
  while (questions.length > 0) {
    for (const bytes of (await ask(questions)).flatMap(filesIn)) files.add(bytes);
    if (files.size > maxFiles) throw new DescriptorError(`more than ${maxFiles} files describe ${service}`);
    const missing = files.missing();
    const withheld = missing.find((name) => asked.has(name));
    if (withheld !== undefined) throw new DescriptorError(`${withheld} is imported, but not to be had`);
    for (const name of missing) asked.add(name);
    questions = missing.map((value) => ({ case: "fileByFilename", value }));
  }
  return files;
}

/** Puts questions in v1, and in v1alpha to servers that know no other; one answer for each. */
function asker(transport: Transport, signal: AbortSignal): (questions: readonly Question[]) => Promise<Answer[]> {
  const v1 = createClient(ServerReflection, transport);
  const alpha = createClient(ServerReflectionAlpha, transport);
  return async (questions) => {
    const options = { signal, timeoutMs: roundMs };
    try {
      const requests = questions.map((messageRequest) => create(ServerReflectionRequestSchema, { messageRequest }));
      return await answersOf(v1.serverReflectionInfo(each(requests), options));
    } catch (reason) {
      if (ConnectError.from(reason).code !== Code.Unimplemented) throw reason;
      const requests = questions.map((messageRequest) => create(AlphaRequestSchema, { messageRequest }));
      return answersOf(alpha.serverReflectionInfo(each(requests), options));
    }
  };
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** v1 and v1alpha differ in the names of their types only. */
async function answersOf(responses: AsyncIterable<{ readonly messageResponse: unknown }>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for await (const { messageResponse } of responses) answers.push(messageResponse as Answer);
  return answers;
}

function filesIn(answer: Answer): readonly Uint8Array[] {
  if (answer.case === "fileDescriptorResponse") return answer.value.fileDescriptorProto;
  if (answer.case === "errorResponse") throw new DescriptorError(`reflection: ${answer.value.errorMessage}`);
  throw new DescriptorError("reflection answered a question that nobody put");
}
