/** Why there is no chart, in words. */

import {explainAbsence, explainUnknown} from "quotewire/absence.js";

/**
 * @param {import("../connection.js").Connection} connection
 * @param {string} symbol that is asked for; empty for none
 * @param {boolean} known whether the feed has it
 */
export function explainEmpty(connection, symbol, known) {
  if (connection.symbols === null) return explainAbsence(connection);
  if (!symbol) return "Choose a symbol.";
  if (!known) return `${explainUnknown(symbol)} Choose one that it has.`;
  return `Loading the history of ${symbol} …`;
}
