/** The colours of the heat map: how strong for which change. Pure. */

/** Changes that may have the full colour, in percent. */
const SCALES = [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 50];
/** So many tiles, in percent, have less than the full colour. */
const WITHIN = 90;
/** Strengths: a colour changes only where one can see it. */
const STEPS = 8;

/**
 * The change that gets the full colour. It stays as it was while it fits roughly.
 *
 * @param {readonly number[]} ratios 0.01 is one percent
 * @param {number | null} before in percent; null: none yet
 * @returns {number} in percent
 */
export function heatScale(ratios, before) {
  const sizes = ratios.map((ratio) => Math.abs(ratio) * 100).sort((a, b) => a - b);
  if (!sizes.length) return before ?? 3;
  const large = sizes[Math.min(sizes.length - 1, Math.floor((sizes.length * WITHIN) / 100))];
  if (before !== null && large > before * 0.4 && large < before * 1.5) return before;
  return SCALES.find((scale) => scale >= large) ?? SCALES[SCALES.length - 1];
}

/**
 * @param {number | null} ratio null where it is not known
 * @param {number} scale in percent
 * @returns {number} from 0 to 1 in steps
 */
export function heatOf(ratio, scale) {
  if (ratio === null) return 0;
  return Math.round(Math.min(1, (Math.abs(ratio) * 100) / scale) * STEPS) / STEPS;
}

/** What the legend shows, from the strongest fall to the strongest rise, in percent. @param {number} scale */
export function heatLegend(scale) {
  return [-1, -2 / 3, -1 / 3, 0, 1 / 3, 2 / 3, 1].map((part) => part * scale);
}
