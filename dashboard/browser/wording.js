/** How numbers and times are told: as the user has set it. */

import {settings} from "quotewire/settings.js";
import {zoneOf} from "quotewire/zone.js";

/** Locales by the look of their numbers. */
const LOCALES = {"1,234.56": "en-US", "1.234,56": "de-DE", "1 234,56": "fr-FR"};

/** @returns {string | undefined} undefined: the browser's own */
export function numberLocale() {
  const {number_format} = settings.values;
  return number_format === "auto" ? undefined : LOCALES[number_format];
}

/** The zone for times of a market. @param {string | undefined} exchange its own */
export function marketZone(exchange) {
  return zoneOf(settings.values.timezone, exchange);
}

/** The zone for times of the page, such as when its connection broke: no market's. */
export function pageZone() {
  const {timezone} = settings.values;
  return zoneOf(timezone === "exchange" ? "local" : timezone, undefined);
}

/** @param {() => void} listener hears when they are told in another way @returns {() => void} ends it */
export function onWording(listener) {
  const told = () => `${settings.values.number_format} ${settings.values.timezone}`;
  let before = told();
  return settings.onChange(() => {
    if (told() === before) return;
    before = told();
    listener();
  });
}
