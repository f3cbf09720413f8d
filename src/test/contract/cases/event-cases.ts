import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { EventService } from "../../../../gen/heddle/event/v1/event_service_pb.ts";
import { ParkedState, SubscriptionService } from "../../../../gen/heddle/event/v1/subscription_service_pb.ts";
import { allSlots } from "../../../events/slots.ts";
import { answers, type Case, fails } from "../case.ts";
import type { Shop } from "../shop.ts";

const { subscribe, listEvents, getEvent, getEventLog, resendEvents } = EventService.method;
const { listSubscriptions, listParkedEvents, getParkedEvent, replayParkedEvent, skipParkedEvent, rebuildSubscription } =
  SubscriptionService.method;
const nobody = { as: "nobody", code: Code.Unauthenticated, reason: "CREDENTIALS_MISSING" } as const;
const reader = { as: "reader", code: Code.PermissionDenied, reason: "SCOPE_MISSING" } as const;
const unknown = { id: "01a1fe51-0000-7000-8000-000000000000" };
const userDeleted = "shop.user.v1.UserDeleted";

/** All slots, read up to a position. */
const cursors = (after: bigint) => allSlots.map((slot) => ({ slot, after }));

/** heddle.event.v1.EventService: the log of the user service, and for what needs a broker that of the order service. */
export const eventCases: readonly Case[] = [
  answers(subscribe, "the events after the cursors", {
    given: async (shop) => {
      await shop.published();
      return { subscriber: "test", types: [userDeleted], cursors: cursors(0n) };
    },
    take: 1,
    check: ([{ events, endPosition }]) => {
      expect(events[0]).toMatchObject({ source: "user", type: userDeleted, version: 1, position: 1n });
      expect(endPosition).toBeGreaterThan(0n);
    },
  }),
  fails(subscribe, "a cursor beyond the end of the log", {
    given: () => ({ subscriber: "test", cursors: cursors(1_000_000n) }),
    code: Code.OutOfRange,
    reason: "CURSOR_BEYOND_END",
  }),
  fails(subscribe, "no slot at all", {
    given: () => ({ subscriber: "test" }),
    code: Code.InvalidArgument,
    fields: ["cursors"],
  }),

  answers(listEvents, "a page of events without their payload", {
    given: async (shop) => {
      await shop.published();
      await shop.published();
      return { pageSize: 1, type: userDeleted };
    },
    check: ([{ events, nextPageToken }]) => {
      expect(events).toMatchObject([{ source: "user", type: userDeleted, data: new Uint8Array() }]);
      expect(nextPageToken).not.toBe("");
    },
  }),
  fails(listEvents, "a page token of somebody else's making", {
    given: () => ({ pageToken: "garbage" }),
    code: Code.InvalidArgument,
    fields: ["page_token"],
  }),

  answers(getEvent, "an event with its payload", {
    given: async (shop) => ({ id: await shop.published() }),
    check: ([{ event }], [{ id }]) => {
      expect(event).toMatchObject({ id, type: userDeleted });
      expect(event?.data.length).toBeGreaterThan(0);
    },
  }),
  fails(getEvent, "an event that does not exist", {
    given: () => unknown,
    code: Code.NotFound,
    reason: "EVENT_NOT_FOUND",
  }),

  answers(getEventLog, "how far it goes", {
    given: async (shop) => {
      await shop.published();
      return {};
    },
    check: ([answer]) => {
      expect(answer).toMatchObject({ source: "user", maxBacklog: 1_000_000n, transport: "stream" });
      expect(answer.endPosition).toBeGreaterThan(0n);
    },
  }),

  answers(resendEvents, "how many will be sent again", {
    at: "order",
    given: () => ({ fromPosition: 1n }),
    check: ([{ events }]) => expect(events).toBeGreaterThanOrEqual(0n),
  }),
  fails(resendEvents, "a service without a broker", {
    given: () => ({ fromPosition: 1n }),
    code: Code.FailedPrecondition,
  }),
  fails(resendEvents, "somebody who is not proven", { given: () => ({ fromPosition: 1n }), ...nobody }),
  fails(resendEvents, "somebody without the scope", { given: () => ({ fromPosition: 1n }), ...reader }),
];

const notParked = { code: Code.NotFound, reason: "PARKED_EVENT_NOT_FOUND" };
const givenUp = async (shop: Shop) => ({ id: await shop.givenUp() });

/** heddle.event.v1.SubscriptionService, as the user service serves it; where an event can be mended, the catalog. */
export const subscriptionCases: readonly Case[] = [
  answers(listSubscriptions, "whom the service follows", {
    given: () => ({}),
    check: ([{ subscriptions }]) => {
      expect(subscriptions).toMatchObject([{ source: "order", transport: "stream", rebuildable: true }]);
      expect(subscriptions[0]?.types).toContain("shop.order.v1.OrderCreated");
    },
  }),

  answers(listParkedEvents, "a page of those that were given up", {
    given: async (shop) => {
      await shop.givenUp();
      await shop.givenUp();
      return { pageSize: 1, state: ParkedState.DEAD };
    },
    check: ([{ parkedEvents, nextPageToken }]) => {
      expect(parkedEvents).toMatchObject([{ state: ParkedState.DEAD, reason: expect.stringMatching(/has no order/) }]);
      expect(nextPageToken).not.toBe("");
    },
  }),
  fails(listParkedEvents, "a page token of somebody else's making", {
    given: () => ({ pageToken: "garbage" }),
    code: Code.InvalidArgument,
    fields: ["page_token"],
  }),

  answers(getParkedEvent, "an event and why it was given up", {
    given: givenUp,
    check: ([{ parkedEvent }], [{ id }]) => {
      expect(parkedEvent).toMatchObject({ event: { id, source: "order" }, state: ParkedState.DEAD });
      expect(parkedEvent?.reason).toMatch(/has no order/);
    },
  }),
  fails(getParkedEvent, "an event that is not parked", { given: () => unknown, ...notParked }),

  answers(replayParkedEvent, "an event that can be handled by now", {
    at: "catalog",
    given: async (shop) => ({ id: await shop.mended() }),
    check: ([answer]) => expect(answer.$typeName).toBe("heddle.event.v1.ReplayParkedEventResponse"),
  }),
  fails(replayParkedEvent, "an event that fails again", {
    given: givenUp,
    code: Code.FailedPrecondition,
    reason: "EVENT_FAILED",
  }),
  fails(replayParkedEvent, "an event that is not parked", { given: () => unknown, ...notParked }),
  fails(replayParkedEvent, "somebody who is not proven", { given: () => unknown, ...nobody }),
  fails(replayParkedEvent, "somebody without the scope", { given: () => unknown, ...reader }),

  answers(skipParkedEvent, "an event that nobody wants", {
    given: givenUp,
    check: ([answer]) => expect(answer.$typeName).toBe("heddle.event.v1.SkipParkedEventResponse"),
  }),
  fails(skipParkedEvent, "an event that is not parked", { given: () => unknown, ...notParked }),
  fails(skipParkedEvent, "somebody who is not proven", { given: () => unknown, ...nobody }),
  fails(skipParkedEvent, "somebody without the scope", { given: () => unknown, ...reader }),

  answers(rebuildSubscription, "up to where the log is read again", {
    given: () => ({ source: "order" }),
    check: ([{ endPosition }]) => expect(endPosition).toBe(0n),
  }),
  fails(rebuildSubscription, "a source that is not followed", {
    given: () => ({ source: "weather" }),
    code: Code.NotFound,
    reason: "SUBSCRIPTION_NOT_FOUND",
  }),
  fails(rebuildSubscription, "a source of which more is made than a view", {
    at: "catalog",
    given: () => ({ source: "order" }),
    code: Code.FailedPrecondition,
    reason: "NO_VIEW",
  }),
  fails(rebuildSubscription, "somebody who is not proven", { given: () => ({ source: "order" }), ...nobody }),
  fails(rebuildSubscription, "somebody without the scope", { given: () => ({ source: "order" }), ...reader }),
];
