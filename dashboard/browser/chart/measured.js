/** What lies between two spots of a chart. Pure. */

const UNITS = /** @type {const} */ ([["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1000]]);

/**
 * @typedef {{price: number, x: number, start_ms: number}} Spot x and start of the bar there
 * @typedef {{change: number, ratio: number | null, bars: number, span_ms: number}} Measured
 */

/** @param {Spot} from @param {Spot} to @returns {Measured} */
export function measured(from, to) {
  const change = to.price - from.price;
  return {
    change,
    ratio: from.price > 0 ? change / from.price : null,
    bars: to.x - from.x,
    span_ms: to.start_ms - from.start_ms,
  };
}

/** Two units tell enough: 3 d 4 h. @param {number} span_ms */
export function spanText(span_ms) {
  let rest = Math.abs(span_ms);
  const parts = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count) parts.push(`${count} ${unit}`);
    else if (parts.length) break;
    if (parts.length === 2) break;
  }
  return (span_ms < 0 ? "−" : "") + (parts.join(" ") || "0 s");
}
