/** At the right of the header: pause and settings; and what the page does by itself. */

import {address, INTERVALS} from "quotewire/address.js";
import {tellOutages, tellPrice} from "quotewire/announce.js";
import {h, setText, svg} from "quotewire/dom.js";
import {openKeySheet} from "quotewire/key_sheet.js";
import {keys} from "quotewire/keys.js";
import {mount} from "quotewire/live.js";
import {pause} from "quotewire/pause.js";
import {tellServer} from "quotewire/server_link.js";
import {followTheme} from "quotewire/theme_setting.js";

/** Pages that show bars. @type {(string | null)[]} */
const CHARTED = [null, "dashboard", "symbol"];

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => {
    const controls = new Controls(until);
    followTheme(context.view, until);
    tellServer(context, until);
    tellOutages(connection, until);
    controls.element.append(tellPrice(connection, until));
    return controls.element;
  }, {rewords: true});
}

class Controls {
  #word = h("span", {class: "words"});
  #pause = h("button", {
    type: "button", class: "pause", title: "Freeze the screen, not the data (p)",
    "aria-keyshortcuts": "p", "data-testid": "pause", onclick: () => pause.toggle(),
  }, pauseMark(), this.#word);
  #settings = h("button", {
    type: "button", title: "Settings", "aria-label": "Settings", "aria-haspopup": "dialog",
    "data-testid": "settings", onclick: () => window.dispatchEvent(new Event("quotewire:settings")),
  }, gear());
  element = h("div", {class: "controls", "data-testid": "controls"}, this.#pause, this.#settings);

  /** @param {(end: () => void) => void} until */
  constructor(until) {
    until(pause.on((isPaused) => {
      this.#pause.setAttribute("aria-pressed", String(isPaused));
      setText(this.#word, isPaused ? "Paused" : "Pause");
    }));
    until(keys.on("p", "Pause: freeze the screen, not the data", () => pause.toggle()));
    until(keys.on(INTERVALS.map((_, index) => index + 1).join(""),
      `Interval of the chart: ${INTERVALS.join(", ")}`, (key) => chooseInterval(Number(key))));
    until(keys.on("?", "This sheet", () => openKeySheet(keys)));
  }
}

/** @param {number} number from 1 */
function chooseInterval(number) {
  if (CHARTED.includes(address.get("page"))) address.set({interval: INTERVALS[number - 1]});
}

function pauseMark() {
  return icon(svg("path", {d: "M5 3h2v10H5zM9 3h2v10H9z", class: "bars"}),
    svg("path", {d: "M5 3l8 5-8 5z", class: "play"}));
}

function gear() {
  const teeth = Array.from({length: 8}, (_, index) =>
    svg("path", {d: "M7 .8h2l.4 2.4H6.6z", transform: `rotate(${index * 45} 8 8)`}));
  return icon(...teeth, svg("path", {
    d: "M8 2.8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 1 0 8 2.8zM8 5.9a2.1 2.1 0 1 1 0 4.2 2.1 2.1 0 1 1 0-4.2z",
    "fill-rule": "evenodd",
  }));
}

/** @param {...Node} shapes */
function icon(...shapes) {
  return svg("svg", {viewBox: "0 0 16 16", width: "16", height: "16", "aria-hidden": "true"}, ...shapes);
}
