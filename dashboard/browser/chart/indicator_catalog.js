/**
 * Which indicators the feed computes: asked for once, when someone wants one.
 *
 * @typedef {object} Parameter
 * @property {string} name
 * @property {"integer" | "real"} kind
 * @property {number} default
 * @property {number | null} minimum
 * @property {number | null} maximum
 * @property {Record<string, string>} choices by value what it stands for
 *
 * @typedef {object} IndicatorInfo
 * @property {string} name
 * @property {string} title
 * @property {string} group
 * @property {string[]} inputs
 * @property {Parameter[]} parameters
 * @property {string[]} outputs
 * @property {string[]} overlay outputs that are prices
 * @property {boolean} from_first
 */

import {parseSpec, whole, writeSpec} from "quotewire/chart/indicator_spec.js";
import {FeedError} from "quotewire/feed_error.js";

/** @typedef {{spec: string, key: string, info: IndicatorInfo}} Wanted `key`: as the feed names it */

export class IndicatorCatalog {
  #ask;
  /** @type {Promise<Map<string, IndicatorInfo>> | null} */
  #infos = null;
  /** @type {Map<string, Promise<string>>} by key, what the feed has against it */
  #refusals = new Map();

  /** @param {import("./long_series.js").Ask} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  /** All by name; rejects where the feed cannot be asked now. */
  all() {
    this.#infos ??= this.#ask("indicators", {}).then(
      ({indicators}) => new Map(indicators.map((/** @type {IndicatorInfo} */ info) => [info.name, info])),
      (error) => {
        this.#infos = null;
        throw error;
      });
    return this.#infos;
  }

  /** @param {string} spec @returns {Promise<Wanted | null>} null where there is none of this name */
  async find(spec) {
    const parsed = parseSpec(spec);
    const info = parsed && (await this.all()).get(parsed.name);
    if (!parsed || !info || parsed.values.length > info.parameters.length) return null;
    return {spec, key: writeSpec(parsed.name, whole(parsed, info).values), info};
  }

  /**
   * What the feed has against an indicator: not all parameters go together.
   *
   * @param {string} key
   * @param {string} symbol any that it has
   * @returns {Promise<string>} for a person; empty where nothing
   */
  refusal(key, symbol) {
    let asked = this.#refusals.get(key);
    if (!asked) {
      asked = this.#try(key, symbol);
      this.#refusals.set(key, asked);
    }
    return asked;
  }

  /** @param {string} key @param {string} symbol */
  async #try(key, symbol) {
    try {
      await this.#ask("bars", {symbol, interval: "1d", limit: 1, indicators: key});
    } catch (error) {
      if (error instanceof FeedError && error.code === "bad_parameter") {
        return error.message.replace(/^indicators: /, "");
      }
      this.#refusals.delete(key); // it could not be asked: that says nothing of the indicator
    }
    return "";
  }
}
