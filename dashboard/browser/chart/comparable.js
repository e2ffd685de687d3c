/** Which of the chosen symbols stand beside a chart's. Pure. */

/**
 * @param {readonly string[]} chosen
 * @param {object} chart
 * @param {string} chart.own the chart's symbol
 * @param {(symbol: string) => boolean} chart.has whether the feed has it
 * @param {number} chart.room for how many there is
 * @returns {string[]}
 */
export function comparable(chosen, {own, has, room}) {
  return chosen.filter((symbol) => symbol !== own && has(symbol)).slice(0, room);
}
