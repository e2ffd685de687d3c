/** Which indicators a text may mean, by their groups. Pure. */

/** @typedef {import("./indicator_catalog.js").IndicatorInfo} IndicatorInfo */

/** How well it fits, the first is the best. @type {((info: IndicatorInfo, wanted: string) => boolean)[]} */
const FITS = [
  ({name}, wanted) => name === wanted,
  ({name}, wanted) => name.startsWith(wanted),
  ({name, title, group}, wanted) => `${name} ${title} ${group}`.toUpperCase().includes(wanted),
];

/**
 * @param {readonly IndicatorInfo[]} infos
 * @param {string} text as typed; without any all are found
 * @returns {[string, IndicatorInfo[]][]} the group that has the best first, and so within each;
 *   those that fit equally well in their order
 */
export function foundIn(infos, text) {
  const wanted = text.trim().toUpperCase();
  const ranked = FITS.flatMap((fits) => infos.filter((info) => fits(info, wanted)));
  return [...Map.groupBy(wanted ? new Set(ranked) : infos, ({group}) => group)];
}
