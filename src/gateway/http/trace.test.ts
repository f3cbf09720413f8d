import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import { restRequest } from "../../testing/rest-caller.ts";
import { withTrace } from "./trace.ts";

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async function traced(header: Record<string, string>) {
  let passedOn = new Headers();
  const handler = withTrace(seededRandom(1), async (request) => {
    passedOn = new Headers(request.header);
    return { status: 503 };
  });
  const answer = await handler(restRequest("GET", "/", { header }));
  return { passedOn, told: answer.header?.get("heddle-trace-id") };
}

test("the trace that a request brings goes on, and its id is told with the answer", async () => {
  const { passedOn, told } = await traced({ traceparent, tracestate: "a=1" });
  expect([passedOn.get("traceparent"), passedOn.get("tracestate")]).toEqual([traceparent, "a=1"]);
  expect(told).toBe("0af7651916cd43dd8448eb211c80319c");
});

test.each([[{}], [{ traceparent: "nonsense", tracestate: "a=1" }]])("with %j a trace is started", async (header) => {
  const { passedOn, told } = await traced(header);
  expect(told).toMatch(/^[0-9a-f]{32}$/);
  expect(passedOn.get("traceparent")).toBe(`00-${told}-${passedOn.get("traceparent")?.slice(36, 52)}-01`);
  expect(passedOn.get("tracestate")).toBeNull();
});
