/** The bell in the header: how many alerts have fired since one looked, and the panel of all. */

import {alertsOf} from "quotewire/alerts/feed.js";
import {bellIcon} from "quotewire/alerts/icon.js";
import {Mark} from "quotewire/alerts/mark.js";
import {opened} from "quotewire/alerts/open.js";
import {AlertsPanel} from "quotewire/alerts/panel.js";
import {h, setText} from "quotewire/dom.js";
import {keys} from "quotewire/keys.js";
import {mount} from "quotewire/live.js";
import {openBelow} from "quotewire/popover.js";

const seen = new Mark("quotewire.alerts.seen");
const MOST = 9;

/** @param {import("../panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => new Bell(connection, until).element,
    {rewords: true});
}

class Bell {
  #alerts;
  #panel;
  #count = h("span", {class: "fired", "aria-hidden": "true", "data-testid": "alerts-count"});
  #button = h("button", {
    type: "button", class: "bell", "aria-haspopup": "dialog", "aria-keyshortcuts": "a",
    title: "Alerts (a)", "data-testid": "alerts", onclick: () => this.#open(),
  }, bellIcon(), this.#count);

  /** @param {import("../connection.js").Connection} connection @param {(end: () => void) => void} until */
  constructor(connection, until) {
    this.#alerts = alertsOf(connection);
    this.#panel = new AlertsPanel(connection, this.#alerts);
    this.element = h("div", {}, this.#button, this.#panel.element);
    until(this.#alerts.use(() => this.#show()));
    until(connection.onSymbols(() => this.#panel.isOpen && this.#panel.show()));
    until(opened.hear((symbol) => this.#open(symbol)));
    until(keys.on("a", "Alerts", () => this.#open()));
    until(() => this.#panel.element.matches(":popover-open") && this.#panel.element.hidePopover());
  }

  /** @param {string} [symbol] */
  #open(symbol) {
    openBelow(this.#panel.element, this.#button);
    this.#panel.open(symbol);
    this.#show();
  }

  #show() {
    const {book, refused, problem} = this.#alerts;
    if (book.isKnown && (this.#panel.isOpen || seen.cursor === null)) seen.cursor = book.cursor;
    const unseen = book.since(seen.cursor ?? book.cursor).length;
    setText(this.#count, unseen === 0 ? "" : unseen > MOST ? `${MOST}+` : String(unseen));
    this.#button.title = refused ? `No alerts: ${problem}` : "Alerts (a)";
    this.#button.setAttribute("aria-label", unseen ? `Alerts, ${unseen} fired` : "Alerts");
    if (this.#panel.isOpen) this.#panel.show();
  }
}
