/** A price that moves: its mark, and a flash that does not tire the eye. */

import {settings} from "quotewire/settings.js";

/** A price flashes at most so often, however fast it moves. */
const FLASH_MS = 1000;

const prefersCalm = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Flash {
  #element;
  /** @type {number | null} */
  #last = null;
  #flashed_ms = -Infinity;

  /** @param {HTMLElement} element what shows the price; `data-tick` tells which way it went last */
  constructor(element) {
    this.#element = element;
  }

  /** @param {number} price @param {number} now_ms */
  show(price, now_ms) {
    const before = this.#last;
    this.#last = price;
    if (before === null || price === before) return;
    const direction = price > before ? "up" : "down";
    this.#element.dataset.tick = direction;
    if (!mayFlash() || now_ms - this.#flashed_ms < FLASH_MS) return;
    this.#flashed_ms = now_ms;
    const colours = [`var(--flash-${direction})`, "transparent"];
    this.#element.animate({backgroundColor: colours}, {duration: 700, easing: "ease-out"});
  }
}

function mayFlash() {
  const {flash, animations} = settings.values;
  return flash && animations && !prefersCalm.matches;
}
