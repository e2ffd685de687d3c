/** What stands over the live market: its list, a filter, and how it is shown. */

import {address} from "quotewire/address.js";
import {h, setText} from "quotewire/dom.js";
import {listSelect} from "quotewire/market/list_select.js";
import {chosenColumns, COLUMNS, withColumn} from "quotewire/market/columns.js";
import {segments} from "quotewire/market/segments.js";
import {openBelow} from "quotewire/popover.js";

const FILTER_MS = 120;

export class MarketToolbar {
  #count = h("span", {class: "muted", "data-testid": "market-count"});
  #label = h("span", {class: "chip", "data-testid": "market-label"});
  #note = h("span", {class: "note", role: "status", "data-testid": "market-note"});
  #find = /** @type {HTMLInputElement} */ (h("input", {
    type: "search", placeholder: "Filter", "aria-label": "Filter symbols", maxlength: "64",
    value: address.get("find"), "data-testid": "market-find", oninput: () => this.#typed(),
  }));
  #columns = columnChoice();
  #sizes = segments("Size of the tiles", [["volume", "Traded"], ["equal", "Equal"]],
    (size) => address.set({size: size === "equal" ? "equal" : "volume"}));
  #views = segments("View", [["table", "Table"], ["map", "Heat map"]], (view) => address.set({view}));
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {import("../connection.js").Connection} connection
   * @param {(button: HTMLElement) => void} onExport
   * @param {(end: () => void) => void} until
   */
  constructor(connection, onExport, until) {
    const exports = h("button", {
      type: "button", class: "plain", "aria-haspopup": "dialog", "data-testid": "export",
      title: "Take along: a file, pandas code, a link", onclick: () => onExport(exports),
    }, "Export ▾");
    const lists = listSelect(connection, until);
    this.element = h("header", {}, h("h2", {}, "Live market"), lists, this.#label, this.#count, this.#note,
      h("div", {class: "tools"}, this.#find, this.#columns.element, this.#sizes.element, this.#views.element,
        exports));
    until(address.on("view", (view) => {
      this.#views.mark(view);
      this.#columns.element.hidden = view !== "table";
      this.#sizes.element.hidden = view !== "map";
    }));
    until(address.on("size", (size) => this.#sizes.mark(size)));
    until(address.on("columns", (names) => this.#columns.mark(names)));
    until(address.on("find", (find) => {
      if (this.#find.value.trim() !== find) this.#find.value = find;
    }));
    until(() => clearTimeout(this.#timer));
  }

  /** @param {{count: string, label: string, note: string}} texts */
  tell({count, label, note}) {
    setText(this.#count, count);
    setText(this.#label, label);
    setText(this.#note, note);
  }

  #typed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => address.set({find: this.#find.value.trim()}), FILTER_MS);
  }
}

/** Which columns the table has. */
function columnChoice() {
  const boxes = COLUMNS.filter(({kind}) => kind !== "symbol").map(({name, title}) => {
    const box = /** @type {HTMLInputElement} */ (h("input", {
      type: "checkbox", "data-testid": `column-${name}`,
      onchange: () => address.set({columns: withColumn(address.get("columns"), name, box.checked)}),
    }));
    return {name, box, element: h("label", {}, box, title)};
  });
  const popover = h("div", {popover: "auto", class: "popover columns", "data-testid": "columns"},
    ...boxes.map(({element}) => element));
  const button = h("button", {
    type: "button", class: "plain", "aria-haspopup": "true", "data-testid": "columns-button",
    onclick: () => openBelow(popover, button),
  }, "Columns ▾");
  return {
    element: h("div", {}, button, popover),
    /** @param {string[]} names */
    mark(names) {
      const shown = new Set(chosenColumns(names).map(({name}) => name));
      for (const {name, box} of boxes) box.checked = shown.has(name);
    },
  };
}
