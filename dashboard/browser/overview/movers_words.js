/** Why there are no movers. */

import {explainAbsence} from "quotewire/absence.js";

/** @type {Record<import("../market/movers.js").Ranking, string>} */
const NONE = {
  gainers: "Nothing is above the close of the session before.",
  losers: "Nothing is below the close of the session before.",
  active: "Nothing was traded yet in this session.",
};

/**
 * @param {import("../connection.js").Connection} connection
 * @param {import("../market/movers.js").Ranking} ranking
 * @param {boolean} isKnown whether there are prices
 */
export function absent(connection, ranking, isKnown) {
  if (connection.symbols === null) return explainAbsence(connection);
  return isKnown ? NONE[ranking] : "Waiting for prices …";
}
