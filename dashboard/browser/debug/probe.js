/** A page that shows no prices asks for some, so that there is something to measure. */

import {h, setText} from "quotewire/dom.js";
import {formatCount} from "quotewire/format.js";
import {followList} from "quotewire/market/lists.js";

const MOST = 50;

/**
 * Quotes of the shown list's first symbols are asked for, for as long as the element lives.
 *
 * @param {import("../connection.js").Connection} connection
 * @param {(end: () => void) => void} until
 * @returns {HTMLElement} which says so
 */
export function probeList(connection, until) {
  const words = h("span", {class: "muted", "data-testid": "debug-probe"});
  let end = () => {};
  followList(connection, ({name, infos}) => {
    end();
    const symbols = (infos ?? []).slice(0, MOST).map(({symbol}) => symbol);
    end = symbols.length ? connection.subscribeQuotes(symbols, () => {}) : () => {};
    setText(words, symbols.length ? `Measured with quotes of “${name}”: ${formatCount(symbols.length)} symbols` : "");
  }, until);
  until(() => end());
  return words;
}
