import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Order, OrderStatus } from "../../../../gen/shop/order/v1/order_pb.ts";
import { byId, make, onSubmit } from "./dom.ts";
import { notice } from "./failure.ts";
import { moneyText } from "./money.ts";
import type { CardOptions } from "./users-card.ts";

type WatchState = "idle" | "connecting" | "live" | "ended" | "failed";

const stateText: Readonly<Record<WatchState, string>> = {
  idle: "no order yet",
  connecting: "connecting",
  live: "live",
  ended: "stream ended",
  failed: "stream failed",
};

/** The order that is followed, as it changes, and the button that cancels it. A new one takes the old one's place. */
export function watchCard({ shop, failed }: CardOptions): { follow(orderId: string): void; again(): void } {
  let watched: string | undefined;
  let watch = new AbortController();

  const read = async (id: string, signal: AbortSignal) => {
    showState("connecting");
    for await (const { order } of shop().orders.watchOrder({ id }, { signal })) {
      if (order) showOrder(order);
      showState("live");
    }
    showState("ended");
  };

  const follow = (id: string) => {
    watch.abort();
    watch = new AbortController();
    const { signal } = watch;
    watched = id;
    byId("order-steps").replaceChildren();
    byId("order").hidden = false;
    byId("no-order").hidden = true;
    read(id, signal).catch((reason: unknown) => {
      if (signal.aborted) return; // another order is followed by now
      showState("failed");
      failed(reason);
    });
  };

  const reason = byId("cancel-reason");
  const cancel = async () => {
    notice(undefined);
    if (watched !== undefined) await shop().cancelOrder(watched, reason.value);
    reason.value = "";
  };
  onSubmit(byId("cancel-form"), cancel, failed);
  return { follow, again: () => (watched === undefined ? undefined : follow(watched)) };
}

function showState(state: WatchState): void {
  const badge = byId("watch-state");
  badge.className = `badge ${state}`;
  badge.textContent = stateText[state];
}

function showOrder(order: Order): void {
  const status = statusText(order.status);
  byId("order-id").textContent = order.id;
  byId("order-total").textContent = moneyText(order.total);
  byId("order-items").textContent = order.items.map(({ qty, sku }) => `${qty} × ${sku}`).join(", ");
  byId("cancel-form").hidden = order.status === OrderStatus.CANCELLED;
  const at = order.updatedAt ? timestampDate(order.updatedAt).toLocaleTimeString("en-GB") : "";
  const about = [`version ${order.version}`, order.cancelReason].filter(Boolean).join(" · ");
  byId("order-steps").append(
    make(
      "li",
      { class: status.toLowerCase() },
      make("strong", {}, status),
      make("span", { class: "soft" }, about),
      make("time", {}, at),
    ),
  );
}

function statusText(status: OrderStatus): string {
  return Object.entries(OrderStatus).find(([, value]) => value === status)?.[0] ?? "UNSPECIFIED";
}
