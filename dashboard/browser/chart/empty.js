/** Why there is no chart, in words. */

import {explainAbsence, explainNoBars, explainUnknown} from "quotewire/absence.js";

/**
 * @param {import("../connection.js").Connection} connection
 * @param {{symbol: string, interval: string, known: boolean}} asked `symbol`: empty for none;
 *   `known`: whether the feed has it
 */
export function explainEmpty(connection, {symbol, interval, known}) {
  if (connection.symbols === null) return explainAbsence(connection);
  if (!symbol) return "Choose a symbol.";
  if (!known) return `${explainUnknown(symbol)} Choose one that it has.`;
  return explainNoBars(connection, symbol, interval);
}
