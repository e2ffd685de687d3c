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
/** Browsers of phones have notifications for service workers only, and say so when one tries. */
let refuses = false;
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
  const isMany = fresh.length > MOST;
  const summary = `${fresh.length} alerts have fired${first ? " meanwhile" : ""}; the bell has them`;
  if (isMany) toast(summary, {shown_ms});
  else for (const one of fresh) toast(wordsOf(connection, one), {shown_ms});
  if (first || !document.hidden) return;
  if (isMany) notify("Quotewire", summary, cursor);
  else for (const one of fresh) notify(one.symbol, wordsOf(connection, one), one.cursor, one.symbol);
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
  return "Notification" in window && !refuses ? Notification.permission : "missing";
}

/** To be called by a click. @returns {Promise<NotificationPermission | "missing">} */
export async function askPermission() {
  if (permission() !== "default") return permission();
  return Notification.requestPermission();
}

/**
 * @param {string} title
 * @param {string} body
 * @param {string} tag of several tabs that tell the same, the browser shows one
 * @param {string} [symbol] whose page it opens
 */
function notify(title, body, tag, symbol) {
  if (permission() !== "granted") return;
  try {
    const shown = new Notification(title, {body, tag});
    shown.onclick = () => {
      window.focus();
      if (symbol) address.set({page: "symbol", symbol}, {push: true});
      shown.close();
    };
  } catch {
    refuses = true;
  }
}
