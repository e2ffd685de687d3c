/** The sheet of keys: what each does, as it is bound now. */

import {h} from "quotewire/dom.js";
import {overPage} from "quotewire/shadow.js";

/** Keys that elements take by themselves. @type {[string[], string][]} */
const OTHERS = [
  [["↑", "↓"], "Through the watchlist, when it has the focus"],
  [["Tab"], "From one part of the page to the next"],
  [["Esc"], "Close what is open"],
];

/** @param {import("./keys.js").Keys} keys */
export function openKeySheet(keys) {
  const rows = [...keys.list.map(rowOf), ...OTHERS];
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", {
    "aria-labelledby": "title", "data-testid": "keys",
    onclick: (/** @type {Event} */ {target}) => target === dialog && dialog.close(),
    onclose: () => host.remove(),
  }, h("div", {class: "sheet"},
    h("header", {}, h("h2", {id: "title"}, "Keys"), h("button", {
      type: "button", "aria-label": "Close", onclick: () => dialog.close(),
    }, "×")),
    h("dl", {}, ...rows.flatMap(([names, words]) => [
      h("dt", {}, ...names.map((name) => h("kbd", {}, name))), h("dd", {}, words),
    ])))));
  const host = overPage("keys", ["tokens", "keys"], dialog);
  dialog.showModal();
}

/** @param {{keys: string, words: string}} binding @returns {[string[], string]} */
function rowOf({keys, words}) {
  return [keys.length > 2 ? [keys[0], "…", keys[keys.length - 1]] : [...keys], words];
}
