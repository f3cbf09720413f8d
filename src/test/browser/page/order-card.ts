import { byId, make, onSubmit } from "./dom.ts";
import { clearFieldErrors, notice, showFieldErrors } from "./failure.ts";
import { moneyText } from "./money.ts";
import type { CardOptions } from "./users-card.ts";

/** What the form for orders needs beside the shop. */
export interface OrderCardOptions extends CardOptions {
  /** Is told which order was placed. */
  readonly placed: (orderId: string) => void;
}

/** The form that places an order. `reload` fills the choice of products. */
export function orderCard({ shop, failed, placed }: OrderCardOptions): { reload(): Promise<void> } {
  const form = byId("order-form");
  const [user, sku, qty] = [byId("order-user"), byId("order-sku"), byId("order-qty")];

  const reload = async () => {
    const { products } = await shop().catalog.listProducts({ pageSize: 1_000 });
    const chosen = sku.value;
    const options = products.map((product) =>
      make("option", { value: product.sku }, `${product.sku} · ${product.name} · ${moneyText(product.price)}`),
    );
    sku.replaceChildren(...options);
    if (products.some((product) => product.sku === chosen)) sku.value = chosen;
  };

  const place = async () => {
    clearFieldErrors(form);
    notice(undefined);
    const { order } = await shop().orders.createOrder({
      userId: BigInt(user.value || 0),
      items: [{ sku: sku.value, qty: Math.trunc(Number(qty.value)) || 0 }],
      requestId: crypto.randomUUID(),
    });
    if (order) placed(order.id);
  };

  onSubmit(form, place, (reason) => {
    if (!showFieldErrors(form, reason)) failed(reason);
  });
  return { reload };
}
