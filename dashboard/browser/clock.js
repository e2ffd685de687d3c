/**
 * A clock for what is measured and planned: it tells UTC epoch milliseconds and never runs back.
 *
 * The machine's own may be set back at any time, and whoever waits for a time would wait the longer.
 */

/**
 * @param {() => number} wall UTC epoch milliseconds, as the machine has them
 * @param {() => number} steady milliseconds since some moment; it may stand still in a sleep
 * @returns {() => number}
 */
export function forwardClock(wall, steady) {
  let base_ms = -Infinity;
  return () => {
    const steady_ms = steady();
    // Only forward: after a sleep, or where the machine was behind.
    base_ms = Math.max(base_ms, wall() - steady_ms);
    return Math.floor(base_ms + steady_ms);
  };
}
