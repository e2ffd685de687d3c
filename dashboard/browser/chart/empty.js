/** Why there is no chart, or not all of it, in words. */

import {explainAbsence, explainNoBars, explainNoHistory, explainUnknown} from "quotewire/absence.js";
import {h, setText} from "quotewire/dom.js";

/**
 * @typedef {import("../connection.js").Connection} Connection
 * @typedef {{symbol: string, interval: string, known: boolean}} Asked `symbol`: empty for none; `known`:
 *   whether the feed has it
 */

export class Absence {
  #connection;
  #empty = h("p", {class: "empty", role: "status", "data-testid": "chart-empty"});
  #note = h("p", {class: "note", role: "status", "data-testid": "chart-note"});
  elements = [this.#note, this.#empty];

  /** @param {Connection} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /** @param {Asked} asked @param {boolean} has whether there are bars */
  explain(asked, has) {
    const {symbol, interval, known} = asked;
    this.#empty.hidden = has;
    setText(this.#note, has && known ? explainNoHistory(this.#connection, symbol, interval) : "");
    if (!has) setText(this.#empty, explainEmpty(this.#connection, asked));
  }
}

/** @param {Connection} connection @param {Asked} asked */
function explainEmpty(connection, {symbol, interval, known}) {
  if (connection.symbols === null) return explainAbsence(connection);
  if (!symbol) return "Choose a symbol.";
  if (!known) return `${explainUnknown(symbol)} Choose one that it has.`;
  return explainNoBars(connection, symbol, interval);
}
