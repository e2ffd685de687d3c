/** What the page says by itself: an outage and its end, its title, and a word now and then for who listens. */

import {address} from "quotewire/address.js";
import {h, setText} from "quotewire/dom.js";
import {formatAge} from "quotewire/format.js";
import {Outage} from "quotewire/outage.js";
import {pause} from "quotewire/pause.js";
import {spokenOf, titleOf} from "quotewire/spoken.js";
import {toast} from "quotewire/toasts.js";

const LOOK_MS = 500;
const TITLE_MS = 1000;
const SPEAK_MS = 30_000;

/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {(end: () => void) => void} Until */

/** @param {Connection} connection @param {Until} until */
export function tellOutages(connection, until) {
  const outage = new Outage();
  let take = () => {};
  const look = () => {
    const word = outage.see(Date.now(), connection.health(), !document.hidden);
    if (!word) return;
    take();
    take = word.tell === "trouble"
      ? toast(`${word.health.word}: ${word.health.reason}`, {tone: "bad", shown_ms: Infinity})
      : toast(`Data comes again, after ${formatAge(word.after_ms)}.`, {tone: "good"});
  };
  const timer = setInterval(look, LOOK_MS);
  until(() => clearInterval(timer));
  until(() => take());
}

/**
 * The chosen symbol's price: in the document's title, and at times in a live region.
 *
 * @param {Connection} connection
 * @param {Until} until
 * @returns {HTMLElement} the live region, which is not seen
 */
export function tellPrice(connection, until) {
  const region = h("div", {role: "status", class: "unseen", "data-testid": "summary"});
  /** @type {import("./core/quote_book.js").Quote | null} */
  let quote = null;
  let stop = () => {};
  const facts = () => ({
    page: address.get("page"),
    quote,
    decimals: connection.symbols?.get(quote?.symbol ?? "")?.decimals ?? 2,
    age_ms: staleAge(connection, quote?.symbol),
    isPaused: pause.isPaused,
    isSeen: !document.hidden,
  });
  const title = () => {
    const text = titleOf(facts());
    if (document.title !== text) document.title = text;
  };
  until(address.on("symbol", (symbol) => {
    stop();
    quote = null;
    stop = symbol ? connection.subscribeQuotes([symbol], ([newest]) => (quote = newest)) : () => {};
  }));
  until(() => stop());
  until(address.on("page", title));
  document.addEventListener("visibilitychange", title);
  until(() => document.removeEventListener("visibilitychange", title));
  const timers = [
    setInterval(title, TITLE_MS),
    setInterval(() => setText(region, spokenOf(facts(), connection.health())), SPEAK_MS),
  ];
  until(() => timers.forEach((timer) => clearInterval(timer)));
  return region;
}

/** @param {Connection} connection @param {string | undefined} symbol @returns {number | null} */
function staleAge(connection, symbol) {
  if (!symbol) return null;
  const {state, age_ms} = connection.freshness(symbol);
  return state === "stale" ? age_ms : null;
}
