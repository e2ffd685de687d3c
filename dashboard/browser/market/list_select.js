/** The choice between the user's named lists. */

import {address} from "quotewire/address.js";
import {h} from "quotewire/dom.js";
import {followList} from "quotewire/market/lists.js";
import {settings} from "quotewire/settings.js";

/** @param {import("../connection.js").Connection} connection @param {(end: () => void) => void} until */
export function listSelect(connection, until) {
  const select = /** @type {HTMLSelectElement} */ (h("select", {
    "aria-label": "Watchlist", "data-testid": "list-select",
    onchange: () => address.set({watchlist: select.value}),
  }));
  let [names, shown] = ["", ""];
  // Also the lists that are not shown may change elsewhere.
  until(settings.onChange(({watchlists}) => {
    const told = JSON.stringify(watchlists.map(({name}) => name));
    if (told !== names) select.replaceChildren(...watchlists.map(({name}) => h("option", {value: name}, name)));
    names = told;
    select.value = shown;
  }));
  followList(connection, ({name}) => {
    shown = name;
    select.value = name;
  }, until);
  return select;
}
