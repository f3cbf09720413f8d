import type { User } from "../../../../gen/shop/user/v1/user_pb.ts";
import { byId, make, onSubmit } from "./dom.ts";
import { clearFieldErrors, notice, showFieldErrors } from "./failure.ts";
import type { Shop } from "./shop.ts";

/** What the cards of the page share. */
export interface CardOptions {
  /** The shop over the protocol that is chosen now. */
  readonly shop: () => Shop;
  /** Shows what nobody else can say better. */
  readonly failed: (reason: unknown) => void;
}

/** The list of users and the form that adds one. `reload` fills the list, and the choice of who orders. */
export function usersCard({ shop, failed }: CardOptions): { reload(): Promise<void> } {
  const form = byId("user-form");
  const [name, email] = [byId("user-name"), byId("user-email")];

  const reload = async () => {
    const { users } = await shop().users.listUsers({ pageSize: 1_000 });
    showUsers(users);
    showBuyers(users);
  };

  const add = async () => {
    clearFieldErrors(form);
    notice(undefined);
    await shop().users.createUser({ name: name.value, email: email.value, requestId: crypto.randomUUID() });
    form.reset();
    await reload();
  };

  onSubmit(form, add, (reason) => {
    if (!showFieldErrors(form, reason)) failed(reason);
  });
  return { reload };
}

function showUsers(users: readonly User[]): void {
  const rows = users.map(({ id, name, email }) =>
    make(
      "tr",
      {},
      make("td", { class: "id" }, String(id)),
      make("td", { class: "name" }, name),
      make("td", { class: "email" }, email),
    ),
  );
  byId("users").replaceChildren(...rows.toReversed());
  byId("user-count").textContent = String(users.length);
  byId("no-users").hidden = users.length > 0;
}

function showBuyers(users: readonly User[]): void {
  const buyers = byId("order-user");
  const chosen = buyers.value;
  buyers.replaceChildren(...users.toReversed().map(({ id, name }) => make("option", { value: String(id) }, name)));
  if (users.some(({ id }) => String(id) === chosen)) buyers.value = chosen;
}
