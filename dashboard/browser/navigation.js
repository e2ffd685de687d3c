/** The ways between the pages, as links: they can be opened in another tab, and “Back” comes back. */

import {address, PAGES} from "quotewire/address.js";
import {strangeIn, strangeWords, withoutStrange} from "quotewire/address_check.js";
import {checkSymbols} from "quotewire/address_symbols.js";
import {h} from "quotewire/dom.js";
import {mount} from "quotewire/live.js";
import {keepForServer} from "quotewire/server_cookies.js";
import {isThere} from "quotewire/server_link.js";
import {settings} from "quotewire/settings.js";
import {SymbolSearch} from "quotewire/symbol_search.js";
import {toast} from "quotewire/toasts.js";

/** @typedef {import("./address.js").PageName} PageName */

/** @type {Record<PageName, string>} */
const WORDS = {dashboard: "Dashboard", market: "Live market", symbol: "Symbol", debug: "Debug"};
/** For a page to be built. */
const LATE_MS = 10_000;

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => {
    const navigation = new Navigation(context.model, until);
    const search = new SymbolSearch(connection, until);
    checkSymbols(connection, until);
    return h("div", {class: "navigation"}, navigation.element, search.element);
  }, {rewords: true});
}

class Navigation {
  #model;
  #late = 0;
  #links = new Map(PAGES.map((page) => [page, this.#link(page)]));
  element = h("nav", {"aria-label": "Pages", "data-testid": "navigation"}, ...this.#links.values());

  /**
   * @param {import("./panel.d.ts").ElementModel} model
   * @param {(end: () => void) => void} until
   */
  constructor(model, until) {
    this.#model = model;
    address.ours = true;
    const strange = strangeIn(window.location.search);
    if (strange.length) {
      toast(strangeWords(strange), {tone: "warn"});
      address.set(withoutStrange({sort: address.get("sort"), columns: address.get("columns")}));
    }
    until(address.onMove(() => this.#show()));
    until(settings.onChange(() => keepForServer("page", usualPage())));
    const arrived = () => this.#await();
    model.on("shown", arrived);
    until(() => model.off("shown", arrived));
    until(() => clearTimeout(this.#late));
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
    // Told of at once, before this hears of moves: it goes on here.
    if (address.get("page") === null && usualPage() !== "dashboard") address.set({page: usualPage()});
    const page = address.get("page");
    this.#model.page = page ?? "dashboard";
    for (const [name, link] of this.#links) {
      if (name === this.#model.page) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      link.setAttribute("href", address.linkTo({page: name}));
    }
    this.#await();
  }

  /** The server builds a page, and may have lost this one's thread: it is loaded afresh then. */
  #await() {
    const {page, shown} = this.#model;
    for (const [name, link] of this.#links) {
      link.setAttribute("aria-busy", String(name === page && page !== shown));
    }
    clearTimeout(this.#late);
    if (page === shown) return;
    this.#late = setTimeout(async () => {
      if (await isThere()) window.location.reload();
      else this.#await();
    }, LATE_MS);
  }
}

function usualPage() {
  return settings.values.default_page;
}
