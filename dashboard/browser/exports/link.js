/** A link to what the page shows, whatever the one who follows it has set. */

import {address} from "quotewire/address.js";
import {settings} from "quotewire/settings.js";

/**
 * @param {import("../address.js").Address} place
 * @returns {string | null} null where that is no place of this page's address
 */
export function linkTo(place) {
  if (place !== address || !address.ours) return null;
  return place.linkTo({page: place.get("page") ?? settings.values.default_page});
}
