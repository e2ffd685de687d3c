/**
 * What an indicator is asked for by, as `BBANDS(20,2,2)`, and by which name the feed tells it. Pure.
 *
 * The feed adds the parameters that were left out, so one indicator can be written in several ways.
 *
 * @typedef {import("./indicator_catalog.js").IndicatorInfo} IndicatorInfo
 * @typedef {import("./indicator_catalog.js").Parameter} Parameter
 * @typedef {{name: string, values: number[]}} Spec
 */

const SHAPE = /^([A-Z][A-Z0-9_]*)(?:\(([^()]*)\))?$/;

/** @param {string} text @returns {Spec | null} null where it is none */
export function parseSpec(text) {
  const [, name, told = ""] = SHAPE.exec(text.trim().toUpperCase()) ?? [];
  if (!name) return null;
  const values = told.trim() ? told.split(",").map((one) => Number(one.trim() || NaN)) : [];
  return values.every(Number.isFinite) ? {name, values} : null;
}

/** @param {string} name @param {number[]} values */
export function writeSpec(name, values) {
  return values.length ? `${name}(${values.map(written).join(",")})` : name;
}

/**
 * With all its parameters.
 *
 * @param {Spec} spec
 * @param {IndicatorInfo} info
 * @returns {Spec}
 */
export function whole({name, values}, {parameters}) {
  return {name, values: parameters.map(({default: usual}, i) => values[i] ?? usual)};
}

/**
 * Whether the feed's name for an indicator is one of this.
 *
 * @param {string} text the feed's
 * @param {Spec} spec with all its parameters
 */
export function names(text, spec) {
  const told = parseSpec(text);
  return told !== null && told.name === spec.name
    && spec.values.every((value, i) => told.values[i] === value);
}

/**
 * What is wrong with a parameter's value.
 *
 * @param {number} value
 * @param {Parameter} parameter
 * @returns {string} for a person; empty where nothing is
 */
export function fault(value, {kind, minimum, maximum}) {
  if (!Number.isFinite(value)) return "a number, please";
  if (kind === "integer" && !Number.isInteger(value)) return "a whole number, please";
  if (minimum !== null && value < minimum) return `at least ${minimum}`;
  if (maximum !== null && value > maximum) return `at most ${maximum}`;
  return "";
}

/** Never with an exponent, which no address takes. @param {number} value */
function written(value) {
  const text = String(value);
  return text.includes("e") ? value.toFixed(12).replace(/\.?0+$/, "") : text;
}
