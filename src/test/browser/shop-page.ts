import type { BrowserContext, CDPSession, Locator, Page } from "playwright-core";

/** A request for leave to call, which the browser sends by itself before a call of another origin. */
export interface Preflight {
  readonly url: string;
  readonly status: number;
}

/** The page in a browser, by what people see of it. Closing it is leaving it. */
export class ShopPage implements AsyncDisposable {
  readonly page: Page;
  /** The preflights seen since the page was opened, answered ones only. */
  readonly preflights: readonly Preflight[];
  /** Uncaught errors of the page: there should be none. */
  readonly errors: readonly Error[];

  private constructor(page: Page, preflights: readonly Preflight[]) {
    this.page = page;
    this.preflights = preflights;
    const errors: Error[] = [];
    page.on("pageerror", (error) => errors.push(error));
    this.errors = errors;
  }

  /** Opens the page in a context of its own, which goes with it. */
  static async open(context: BrowserContext, url: string): Promise<ShopPage> {
    const page = await context.newPage();
    const preflights = await watchPreflights(await context.newCDPSession(page));
    const shop = new ShopPage(page, preflights);
    await page.goto(url);
    return shop;
  }

  /** The rows of the list of users. */
  get users(): Locator {
    return this.page.locator("#users tr");
  }

  /** The changes of the order that is followed, oldest first. */
  get changes(): Locator {
    return this.page.getByRole("list", { name: "Changes" }).getByRole("listitem");
  }

  /** Whether the order is followed: "live", "stream ended". */
  get watchState(): Locator {
    return this.page.locator("#watch-state");
  }

  /** What stands above everything when something failed. */
  get notice(): Locator {
    return this.page.getByRole("alert");
  }

  /** The last calls, newest first. */
  get calls(): Locator {
    return this.page.locator("#calls tr");
  }

  /** The statuses that the followed order has had. */
  statuses(): Promise<string[]> {
    return this.changes.locator("strong").allTextContents();
  }

  /** What the page tells of the last call to `method`, without its time: over what, which, how it ended. */
  async callTo(method: string): Promise<string[]> {
    return (await this.calls.filter({ hasText: method }).first().locator("td").allTextContents()).slice(0, 3);
  }

  /** What stands beside a field because of a failure. */
  errorAt(field: string): Locator {
    return this.page.locator(`[data-error-of="${field}"]`);
  }

  /** Fills in the form for users and sends it. */
  async createUser(name: string, email: string): Promise<void> {
    await this.page.getByLabel("Name").fill(name);
    await this.page.getByLabel("Email").fill(email);
    await this.page.getByRole("button", { name: "Create user" }).click();
  }

  /** Creates a user, orders two of SKU ABC for them, waits until the order is seen to be confirmed, and returns its id. */
  async placeOrder(buyer: string): Promise<string> {
    await this.createUser(buyer, `${buyer.replaceAll(/\W/g, ".").toLowerCase()}@example.com`);
    await this.page.getByRole("combobox", { name: "User" }).selectOption({ label: buyer });
    await this.page.getByRole("combobox", { name: "Product" }).selectOption("ABC");
    await this.page.getByLabel("Quantity").fill("2");
    await this.page.getByRole("button", { name: "Place order" }).click();
    await this.changes.filter({ hasText: "CONFIRMED" }).waitFor();
    return (await this.page.locator("#order-id").textContent()) ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}

/** Collects preflights as they are answered. Only the protocol for debuggers tells of them. */
async function watchPreflights(session: CDPSession): Promise<Preflight[]> {
  const preflights: Preflight[] = [];
  session.on("Network.responseReceived", ({ type, response }) => {
    if (type === "Preflight") preflights.push({ url: response.url, status: response.status });
  });
  await session.send("Network.enable");
  return preflights;
}
