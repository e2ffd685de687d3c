/**
 * Telling what has fired: over the page, and by the browser where nobody looks at the page. What was
 * told is kept in the browser, so that it is told once, and that of other times when it comes back.
 */

import {isLater} from "quotewire/alerts/book.js";
import {Mark} from "quotewire/alerts/mark.js";
import {firedWords} from "quotewire/alerts/words.js";
import {address} from "quotewire/address.js";
import {toast} from "quotewire/toasts.js";

/** @typedef {import("./book.js").Fired} Fired */

const told = new Mark("quotewire.alerts.told");
const SHOWN_MS = 20_000;
/** Of more, only how many. */
const MOST = 3;
const DECIMALS = 2;

/**
 * @param {import("../connection.js").Connection} connection
 * @param {Fired[]} fired not told by this page yet
 * @param {string} cursor where the page is with them
 * @param {boolean} first whether they are of a time before this page
 */
export function tellFired(connection, fired, cursor, first) {
  const before = told.cursor;
  if (before === null || isLater(cursor, before)) told.cursor = cursor;
  // Another tab may have told them already: of what happens now, each tells.
  const fresh = first ? fired.filter((one) => before !== null && isLater(one.cursor, before)) : fired;
  const shown_ms = document.hidden || first ? Infinity : SHOWN_MS;
  if (fresh.length > MOST) {
    toast(`${fresh.length} alerts have fired${first ? " meanwhile" : ""}; the bell has them`, {shown_ms});
  } else {
    for (const one of fresh) toast(wordsOf(connection, one), {shown_ms});
  }
  if (!first && document.hidden) for (const one of fresh) notify(connection, one);
}

/** @param {import("../connection.js").Connection} connection @param {Fired} fired */
export function wordsOf(connection, fired) {
  return firedWords(fired, decimalsOf(connection, fired.symbol));
}

/** @param {import("../connection.js").Connection} connection @param {string} symbol */
export function decimalsOf(connection, symbol) {
  return connection.symbols?.get(symbol)?.decimals ?? DECIMALS;
}

/** What the browser lets us do. @returns {NotificationPermission | "missing"} */
export function permission() {
  return "Notification" in window ? Notification.permission : "missing";
}

/** To be called by a click. @returns {Promise<NotificationPermission | "missing">} */
export async function askPermission() {
  if (permission() !== "default") return permission();
  return Notification.requestPermission();
}

/** @param {import("../connection.js").Connection} connection @param {Fired} fired */
function notify(connection, fired) {
  if (permission() !== "granted") return;
  try {
    // Of several tabs that tell the same, the browser shows one.
    const shown = new Notification(fired.symbol, {body: wordsOf(connection, fired), tag: fired.cursor});
    shown.onclick = () => {
      window.focus();
      address.set({page: "symbol", symbol: fired.symbol}, {push: true});
      shown.close();
    };
  } catch {
    // Browsers of phones have them for service workers only.
  }
}
