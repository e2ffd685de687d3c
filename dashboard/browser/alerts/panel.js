/** The panel under the bell: the form, the alerts that are set, and what has fired. */

import {address} from "quotewire/address.js";
import {AlertForm} from "quotewire/alerts/form.js";
import {askPermission, decimalsOf, permission, wordsOf} from "quotewire/alerts/told.js";
import {distance, isMet, ruleWords} from "quotewire/alerts/words.js";
import {h, setText} from "quotewire/dom.js";
import {explain} from "quotewire/feed_error.js";
import {formatPercent} from "quotewire/format.js";
import {KeyedRows} from "quotewire/keyed_rows.js";
import {pageZone} from "quotewire/wording.js";
import {wallClock} from "quotewire/zone.js";

/** @typedef {import("./book.js").Alert} Alert */
/** @typedef {import("./book.js").Fired} Fired */
/** @typedef {[key: string, make: () => HTMLElement]} Keyed */

/** @type {Record<string, string>} */
const NOTIFICATIONS = {
  granted: "Notifications of the browser are on: you hear of it in other tabs too.",
  denied: "Notifications are blocked in the browser's settings for this page.",
  missing: "This browser gives this page no notifications.",
};

export class AlertsPanel {
  #connection;
  #alerts;
  #form;
  #count = h("span", {class: "count"});
  #set = h("ul", {"data-testid": "alerts-set"});
  #fired = h("ul", {"data-testid": "alerts-fired"});
  #setRows = new KeyedRows(this.#set);
  #firedRows = new KeyedRows(this.#fired);
  #problem = h("p", {class: "problem", role: "alert", "data-testid": "alerts-problem"});
  #notifications = h("p", {class: "note"});
  /** @type {Map<string, {alert: Alert, state: HTMLElement}>} shown, by `Alert.id` */
  #rows = new Map();
  /** @type {Map<string, import("../core/quote_book.js").Quote>} */
  #quotes = new Map();
  #quoted = "";
  #permission = "";
  #endQuotes = () => {};

  /** @param {import("../connection.js").Connection} connection @param {import("./feed.js").AlertsFeed} alerts */
  constructor(connection, alerts) {
    this.#connection = connection;
    this.#alerts = alerts;
    this.#form = new AlertForm(connection, alerts);
    this.element = h("div", {
      popover: "auto", role: "dialog", "aria-label": "Alerts", class: "popover",
      "data-testid": "alerts-panel",
      ontoggle: (/** @type {ToggleEvent} */ {newState}) => newState === "closed" && this.#close(),
    },
    h("header", {}, h("h2", {}, "Alerts"), this.#count),
    this.#form.element, this.#problem,
    h("h3", {}, "Set"), this.#set,
    h("h3", {}, "Fired"), this.#fired, this.#notifications);
  }

  get isOpen() {
    return this.element.matches(":popover-open");
  }

  /** To be called as it opens. @param {string} [symbol] to begin with */
  open(symbol) {
    this.#form.open(symbol);
    this.show();
  }

  show() {
    const {book, problem, refused} = this.#alerts;
    const failed = problem && `The feed does not tell your alerts: ${problem}`;
    setText(this.#problem, refused ? `No alerts: ${problem}` : failed);
    this.#problem.hidden = !problem;
    const most = Number.isFinite(book.maxAlerts) ? ` of ${book.maxAlerts}` : "";
    setText(this.#count, book.isKnown ? `${book.alerts.length}${most}` : "");
    this.#showSet(book.alerts);
    const none = "Nothing has fired yet. The feed watches also while no page is open.";
    this.#firedRows.show(orNone(book.fired.toReversed().map((one) => this.#firedRow(one)), none));
    this.#showNotifications();
    this.#followPrices();
  }

  /** @param {readonly Alert[]} alerts */
  #showSet(alerts) {
    const before = this.#rows;
    this.#rows = new Map(alerts.map((alert) =>
      [alert.id, {alert, state: before.get(alert.id)?.state ?? h("span", {class: "state"})}]));
    const rows = [...this.#rows.values()].map(({alert, state}) => this.#setRow(alert, state));
    this.#setRows.show(orNone(rows, "No alert is set. Choose a symbol and a level above."));
    this.#showStates();
  }

  /** @param {Alert} alert @param {HTMLElement} state @returns {Keyed} */
  #setRow(alert, state) {
    const words = ruleWords(alert, decimalsOf(this.#connection, alert.symbol));
    const note = [alert.repeat ? "every time" : "", alert.note].filter(Boolean).join(" · ");
    return [JSON.stringify([alert.id, words, note]), () => h("li", {"data-testid": `alert-${alert.symbol}`},
      h("p", {}, symbolLink(alert.symbol), ` ${words}`), state,
      h("button", {
        type: "button", class: "plain", "aria-label": `Remove alert ${alert.symbol} ${words}`,
        "data-testid": "alert-remove", onclick: () => this.#remove(alert.id),
      }, "×"),
      h("small", {}, note))];
  }

  /** @param {Fired} fired @returns {Keyed} */
  #firedRow(fired) {
    const words = wordsOf(this.#connection, fired).slice(fired.symbol.length);
    const at = new Date(fired.fired_ms);
    const when = whenWords(at);
    return [JSON.stringify([fired.cursor, words, when]), () => h("li", {"data-testid": "fired"},
      h("p", {}, symbolLink(fired.symbol), words),
      h("time", {datetime: at.toISOString(), title: `Market time ${new Date(fired.time_ms).toISOString()}`},
        when),
      h("button", {
        type: "button", class: "plain again", "data-testid": "fired-again",
        "aria-label": `Set again: ${fired.symbol}`, onclick: () => this.#form.fill(fired),
      }, "Again"))];
  }

  #showStates() {
    for (const {alert, state} of this.#rows.values()) {
      const quote = this.#quotes.get(alert.symbol);
      const away = quote ? distance(alert, quote) : null;
      const waits = !alert.armed || isMet(alert.condition, away);
      state.dataset.state = waits ? "waits" : "armed";
      state.title = waits ? "It fires when the price has been back and comes again." : "";
      const near = away === null ? "armed" : `${formatPercent(Math.abs(away)).replace("+", "")} away`;
      setText(state, waits ? "waits" : near);
    }
  }

  #showNotifications() {
    const now = permission();
    if (now === this.#permission) return undefined;
    this.#permission = now;
    if (now !== "default") return this.#notifications.replaceChildren(NOTIFICATIONS[now]);
    const ask = h("button", {
      type: "button", class: "plain link", onclick: async () => {
        await askPermission();
        this.#showNotifications();
      },
    }, "Notify me in other tabs too");
    return this.#notifications.replaceChildren(ask);
  }

  #followPrices() {
    if (!this.isOpen) return;
    const symbols = [...new Set(this.#alerts.book.alerts.map(({symbol}) => symbol))].sort();
    const named = symbols.join();
    if (named === this.#quoted) return;
    this.#endQuotes();
    this.#quoted = named;
    this.#endQuotes = symbols.length ? this.#connection.subscribeQuotes(symbols, (quotes) => {
      for (const quote of quotes) this.#quotes.set(quote.symbol, quote);
      this.#showStates();
    }) : () => {};
  }

  #close() {
    this.#form.close();
    this.#endQuotes();
    this.#endQuotes = () => {};
    this.#quoted = "";
    this.#quotes.clear();
  }

  /** @param {string} id */
  async #remove(id) {
    try {
      await this.#alerts.remove(id);
    } catch (error) {
      setText(this.#problem, explain(error).reason);
      this.#problem.hidden = false;
    }
  }
}

/** @param {Keyed[]} rows @param {string} none what is said where there are none @returns {Keyed[]} */
function orNone(rows, none) {
  return rows.length ? rows : [["none", () => h("li", {class: "none"}, none)]];
}

/** @param {string} symbol */
function symbolLink(symbol) {
  return h("a", {
    href: address.linkTo({page: "symbol", symbol}),
    onclick: (/** @type {MouseEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      address.set({page: "symbol", symbol}, {push: true});
    },
  }, symbol);
}

/** The time of day; with its date where it was before. @param {Date} at */
function whenWords(at) {
  const [now, then] = [Date.now(), at.getTime()].map((time_ms) => wallClock(pageZone(), time_ms));
  return then.date === now.date ? then.clock : `${then.date} ${then.clock.slice(0, 5)}`;
}
