/** How long a client waits for what, and how long before it tries again. Pure. */

/** The times of a session, in milliseconds; described in `dashboard/client/core/limits.py`. */
export const LIMITS = Object.freeze({
  connect_ms: 3000,
  login_ms: 10000,
  answer_ms: 10000,
  load_ms: 30000,
  proved_ms: 5000,
  silent_ms: 1000,
  dead_ms: 2500,
  backoff_base_ms: 500,
  backoff_cap_ms: 15000,
  relay_polls: 2,
  idle_ms: 60000,
  linger_ms: 2000,
  unknown_base_ms: 2000,
  unknown_cap_ms: 30000,
  ping_first_ms: 2000,
  ping_ms: 10000,
  pings: 16,
});

const MOST_DOUBLINGS = 16;

/**
 * How long to wait after so many failures in a row: exponential, with full jitter.
 *
 * @param {number} failures
 * @param {() => number} random uniform in [0, 1)
 */
export function backoff(failures, random) {
  const doubled_ms = LIMITS.backoff_base_ms * 2 ** Math.min(failures - 1, MOST_DOUBLINGS);
  return random() * Math.min(LIMITS.backoff_cap_ms, doubled_ms);
}
