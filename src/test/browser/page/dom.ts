/**
 * What this page uses of the DOM, and no more: with TypeScript's own types of it, every file of the project would have
 * `name`, `close` and `event` as globals, and a misspelt variable would pass for one of them.
 */
export interface PageElement {
  id: string;
  className: string;
  hidden: boolean;
  disabled: boolean;
  value: string;
  checked: boolean;
  textContent: string | null;
  readonly lastElementChild: PageElement | null;
  readonly childElementCount: number;
  append(...children: PageNode[]): void;
  prepend(...children: PageNode[]): void;
  replaceChildren(...children: PageNode[]): void;
  remove(): void;
  reset(): void;
  setAttribute(name: string, value: string): void;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  querySelectorAll(selector: string): Iterable<PageElement>;
}

/** What an element holds. */
export type PageNode = PageElement | string;

/** What a listener is told. */
export interface PageEvent {
  preventDefault(): void;
}

interface Browser {
  readonly document: {
    getElementById(id: string): PageElement | null;
    createElement(tag: string): PageElement;
  };
  readonly location: { readonly search: string; readonly origin: string };
}

const { document, location } = globalThis as unknown as Browser;

/** Where the page came from. */
export const { origin } = location;

/** What stands behind the question mark of the page's address. */
export const query = new URLSearchParams(location.search);

/** The element that page.html calls `id`; it is a mistake when there is none. */
export function byId(id: string): PageElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`page.html has no #${id}`);
  return found;
}

/** A new element. Children that are text stay text, whatever is in them. */
export function make(tag: string, attributes: Readonly<Record<string, string>>, ...children: PageNode[]): PageElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Hands each submit of a form to `act`; the form's button waits until it has ended. Rejections go to `failed`. */
export function onSubmit(form: PageElement, act: () => Promise<void>, failed: (reason: unknown) => void): void {
  const buttons = [...form.querySelectorAll("button")];
  const wait = (waiting: boolean) => {
    for (const button of buttons) button.disabled = waiting;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    wait(true);
    act()
      .catch(failed)
      .finally(() => wait(false));
  });
}
