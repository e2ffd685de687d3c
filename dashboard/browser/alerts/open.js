/** Opening the panel of alerts from elsewhere on the page, such as a symbol's header. */

import {Listeners} from "quotewire/listeners.js";

/** @type {Listeners<string>} */
export const opened = new Listeners();

/** Whether the page has a panel of alerts. */
export function hasAlerts() {
  return opened.hasAny;
}

/** @param {string} symbol to begin with */
export function openAlerts(symbol) {
  opened.tell(symbol);
}
