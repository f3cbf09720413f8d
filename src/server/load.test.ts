import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { OpenRcaService } from "../../gen/xds/service/orca/v3/orca_pb.ts";
import { fieldsOf } from "../call/fields.ts";
import { fromOrca, loadReportOf } from "../call/load-report.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { openPair } from "../testing/open-pair.ts";

async function openShop() {
  const clock = fakeClock();
  const loop = { utilization: 0.5, delayMs: 3 };
  const pair = await openPair({
    services: [
      [
        UserService,
        {
          getUser({ id }) {
            if (id === 9n) throw new ConnectError("broken", Code.Internal);
            return { user: { id } };
          },
        },
      ],
    ],
    clock,
    loop: () => ({ read: () => ({ ...loop }) }),
  });
  return { ...pair, clock, loop };
}

type Shop = Awaited<ReturnType<typeof openShop>>;

/** The report behind the answer to one call. */
async function told({ users }: Shop, ask = true, id = 1n) {
  let report: ReturnType<typeof loadReportOf>;
  const onTrailer = (trailer: Headers) => {
    report = loadReportOf(fieldsOf([], trailer));
  };
  const header: HeadersInit = ask ? { "heddle-load-report": "1" } : {};
  await users.getUser({ id }, { headers: header, onTrailer }).catch((error: ConnectError) => onTrailer(error.metadata));
  return report;
}

test("a server tells its load to callers that ask for it, and to no others", async () => {
  await using shop = await openShop();
  expect(await told(shop, false)).toBeUndefined();
  await shop.clock.advance(1_000);
  expect(await told(shop)).toEqual({ utilization: 0.5, qps: 1, eps: 0, delayMs: 3 });
});

test("it counts the calls and the errors of a second; a caller's own mistake is none", async () => {
  await using shop = await openShop();
  await shop.clock.advance(1_000);
  await told(shop);
  for (const id of [1n, 2n, 0n, 9n]) await told(shop, false, id);
  await shop.clock.advance(2_000);
  expect(await told(shop)).toMatchObject({ qps: 2.5, eps: 0.5 }); // the call that asked first is among them
});

test("a report is repeated for a second, and told behind errors too", async () => {
  await using shop = await openShop();
  await shop.clock.advance(1_000);
  const first = await told(shop);
  shop.loop.utilization = 0.9;
  await shop.clock.advance(999);
  expect(await told(shop, true, 9n)).toEqual(first);
  await shop.clock.advance(1);
  expect(await told(shop)).toMatchObject({ utilization: 0.9 });
});

test("over Connect it is a trailer too", async () => {
  await using shop = await openShop();
  const answer = await fetch(`${shop.origin}/shop.user.v1.UserService/GetUser`, {
    method: "POST",
    headers: { "content-type": "application/json", "heddle-load-report": "1" },
    body: '{"id":"1"}',
  });
  const value = answer.headers.get("trailer-endpoint-load-metrics-bin") ?? "";
  expect(loadReportOf(["endpoint-load-metrics-bin", value])).toMatchObject({ utilization: 0.5 });
});

test("who wants to hear of it without calling is told at the interval asked for, no sooner than each second, until drained", async () => {
  await using shop = await openShop();
  const reports = shop
    .client(OpenRcaService)
    .streamCoreMetrics({ reportInterval: { nanos: 1 } })
    [Symbol.asyncIterator]();
  expect(fromOrca((await reports.next()).value)).toMatchObject({ utilization: 0.5 });
  shop.loop.utilization = 0.8;
  const next = reports.next();
  await shop.clock.advance(999);
  expect(shop.clock.pending).toBe(1);
  await shop.clock.advance(1);
  expect(fromOrca((await next).value)).toMatchObject({ utilization: 0.8 });
  const last = expect(reports.next()).rejects.toMatchObject({ code: Code.Unavailable });
  await shop.server.drain();
  await last;
});
