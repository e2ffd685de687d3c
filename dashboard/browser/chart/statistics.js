/** What bars tell of a stretch of time. Pure. */

const YEAR_MS = 365.25 * 86_400_000;
/** Of a shorter stretch nothing is said for a year. */
const LEAST_MS = 5 * 86_400_000;

/** @typedef {import("../core/bars.js").Bar} Bar */

/**
 * @typedef {object} Statistics
 * @property {number} bars how many
 * @property {number | null} change last close against the first, as a ratio: 0.01 is one percent
 * @property {number} high
 * @property {number} low
 * @property {number} volume the average of a bar
 * @property {number | null} volatility realised: of the whole stretch, or a year's where `yearly`
 * @property {boolean} yearly
 * @property {number} drawdown the largest fall of closes from the highest before, as a ratio ≥ 0
 */

/**
 * The realised volatility is the root of the sum of squared logarithmic returns from close to close,
 * σ = √(Σ rᵢ²), as in Andersen, Bollerslev, Diebold and Labys, “Modeling and Forecasting Realized
 * Volatility”, Econometrica 71 (2003). Over five days or more it is told for a year: σ · √(1 / T) with
 * T the stretch's length in years, by the calendar, so that nights, weekends and bars without trades
 * need no convention. The drawdown is that of Magdon-Ismail and Atiya, “Maximum drawdown”, Risk 17
 * (2004).
 *
 * @param {readonly Pick<Bar, "start_ms" | "open" | "high" | "low" | "close" | "volume">[]} bars in order
 * @returns {Statistics | null} null where there are none
 */
export function statistics(bars) {
  const [first] = bars;
  const last = bars[bars.length - 1];
  if (!first) return null;
  let [high, low, volume, squares, peak, drawdown] = [-Infinity, Infinity, 0, 0, 0, 0];
  let before = NaN;
  for (const bar of bars) {
    high = Math.max(high, bar.high);
    low = Math.min(low, bar.low);
    volume += bar.volume;
    peak = Math.max(peak, bar.close);
    if (peak > 0) drawdown = Math.max(drawdown, 1 - bar.close / peak);
    const step = Math.log(bar.close / before);
    if (Number.isFinite(step)) squares += step * step;
    before = bar.close;
  }
  const length_ms = last.start_ms - first.start_ms;
  const yearly = length_ms >= LEAST_MS;
  const volatility = bars.length < 3 ? null
    : Math.sqrt(squares / (yearly ? length_ms / YEAR_MS : 1));
  const change = first.close > 0 ? last.close / first.close - 1 : null;
  return {
    bars: bars.length, change, high, low, volume: volume / bars.length, volatility, yearly, drawdown,
  };
}
