/** What stands in the drawer, and in which words. */

import {h} from "quotewire/dom.js";
import {choice, section, segments, toggle} from "quotewire/settings_drawer/fields.js";
import {zoneName, zoneOf} from "quotewire/zone.js";

/** @typedef {import("./fields.js").Option} Option */

const POLLS_MS = [250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];
const RATES_HZ = [0, 1, 2, 5, 10, 20, 30];
const UP = "▲";
const DOWN = "▼";

export function dataSection() {
  return section("Data",
    segments("mode", [
      ["auto", "Auto", "WebSocket, and polling while that fails"],
      ["websocket", "WebSocket", "WebSocket only: pushed as it happens"],
      ["polling", "Polling", "HTTP only: asked for at an interval"],
    ]),
    choice("poll_ms", () => [["", POLLS_MS.map((ms) => [ms, everyWords(ms)])]], everyWords, "While polling"),
    choice("max_hz", () => [["", RATES_HZ.map((hz) => [hz, rateWords(hz)])]], rateWords, "On the screen, of each price"),
  );
}

export function lookSection() {
  return section("Look",
    segments("theme", [["system", "System"], ["dark", "Dark"], ["light", "Light"]]),
    segments("palette", [
      ["blue_orange", "Blue up", "Blue up, orange down: told apart by all"],
      ["green_red", "Green up", "Green up, red down"],
      ["red_up", "Red up", "Red up, green down, as in East Asia"],
    ], sample),
    toggle("animations", "Off: nothing moves but prices"),
    toggle("flash", "A price that moves lights up for a moment"),
  );
}

export function wordingSection() {
  return section("Numbers and time",
    choice("timezone", zones),
    choice("number_format", () => [["", [
      ["auto", `Auto: ${(1234.56).toLocaleString(undefined, {numberingSystem: "latn"})}`],
      ["1,234.56", "1,234.56"], ["1.234,56", "1.234,56"], ["1 234,56", "1 234,56"],
    ]]]),
  );
}

export function pagesSection() {
  return section("Pages",
    choice("default_page", () => [["", [
      ["dashboard", "Dashboard"], ["market", "Live market"], ["symbol", "Symbol"], ["debug", "Debug"],
    ]]], String, "Where an address without a page leads"));
}

/** A palette's own colours, whatever is set. @param {string} palette */
function sample(palette) {
  return [h("i", {class: "sample", "data-sample": palette, "aria-hidden": "true"}, h("b", {}, UP), h("b", {}, DOWN))];
}

/** @returns {[string, Option[]][]} */
function zones() {
  const all = Intl.supportedValuesOf("timeZone");
  const local = zoneOf("local", undefined);
  return [
    ["", [
      ["exchange", "Of each exchange"],
      ["local", `This computer’s: ${local.replaceAll("_", " ")} (${zoneName(local, Date.now())})`],
      ["UTC", "UTC"],
    ]],
    ["All", all.filter((zone) => zone !== "UTC").map((zone) => [zone, zone.replaceAll("_", " ")])],
  ];
}

/** @param {number} poll_ms */
function everyWords(poll_ms) {
  return poll_ms < 1000 ? `${poll_ms} ms` : `${poll_ms / 1000} s`;
}

/** @param {number} max_hz */
function rateWords(max_hz) {
  return max_hz ? `${max_hz} a second` : "The feed’s pace";
}

