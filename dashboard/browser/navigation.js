/** The ways between the pages, as links: they can be opened in another tab, and “Back” comes back. */

import {address, PAGES} from "quotewire/address.js";
import {h} from "quotewire/dom.js";
import {mount} from "quotewire/live.js";

/** @typedef {import("./address.js").PageName} PageName */

/** @type {Record<PageName, string>} */
const WORDS = {dashboard: "Dashboard", market: "Live market", symbol: "Symbol", debug: "Debug"};

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => new Navigation(context.model, until).element);
}

class Navigation {
  #model;
  #links = new Map(PAGES.map((page) => [page, this.#link(page)]));
  element = h("nav", {"aria-label": "Pages", "data-testid": "navigation"}, ...this.#links.values());

  /**
   * @param {import("./panel.d.ts").ElementModel} model
   * @param {(end: () => void) => void} until
   */
  constructor(model, until) {
    this.#model = model;
    address.ours = true;
    until(address.on("page", () => this.#show()));
  }

  /** @param {PageName} page */
  #link(page) {
    return h("a", {
      href: address.linkTo({page}),
      "data-testid": `page-${page}`,
      onclick: (/** @type {MouseEvent} */ event) => this.#go(event, page),
    }, WORDS[page]);
  }

  /** With a key held down the browser opens it elsewhere. @param {MouseEvent} event @param {PageName} page */
  #go(event, page) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    address.set({page}, {push: true});
  }

  #show() {
    const page = address.get("page") ?? "dashboard";
    this.#model.page = page;
    for (const [name, link] of this.#links) {
      link.toggleAttribute("aria-current", name === page);
      if (name === page) link.setAttribute("aria-current", "page");
      link.setAttribute("href", address.linkTo({page: name}));
    }
  }
}
