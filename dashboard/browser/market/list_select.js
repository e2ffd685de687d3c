/** The choice between the user's named lists. */

import {address} from "quotewire/address.js";
import {h} from "quotewire/dom.js";
import {followList} from "quotewire/market/lists.js";
import {settings} from "quotewire/settings.js";

/** @param {import("../connection.js").Connection} connection @param {(end: () => void) => void} until */
export function listSelect(connection, until) {
  const select = /** @type {HTMLSelectElement} */ (h("select", {
    "aria-label": "Watchlist", "data-testid": "list-select",
    onchange: () => address.set({watchlist: settings.values.watchlists[select.selectedIndex].name}),
  }));
  let names = "";
  followList(connection, ({at}) => {
    const lists = settings.values.watchlists;
    const told = JSON.stringify(lists.map(({name}) => name));
    if (told !== names) select.replaceChildren(...lists.map(({name}) => h("option", {}, name)));
    names = told;
    select.selectedIndex = at;
  }, until);
  return select;
}
