/** The feed's error codes and close codes, as `feed_server/protocol/codes.py` has them. */

/** Errors after which the same can succeed later. */
export const RETRIED = new Set([
  "too_many_commands", "too_many_connections", "not_ready", "internal", "source",
]);

/** @type {Record<string, string>} what errors mean, for a person */
export const REASONS = {
  unknown_symbol: "no such instrument",
  unknown_interval: "no such interval",
  too_many_symbols: "more symbols than the feed gives to one page",
  forbidden: "the token does not allow this",
  source: "a source of market data has trouble with it",
};

/**
 * Close codes by number; after `final` ones nobody returns.
 *
 * @type {Map<number, {name: string, final: boolean, renewed?: boolean}>}
 */
export const CLOSES = new Map([
  [1001, {name: "going_away", final: false}],
  [1009, {name: "too_big", final: true}],
  [4001, {name: "auth_required", final: true, renewed: true}],
  [4003, {name: "auth_expired", final: true, renewed: true}],
  [4008, {name: "slow_consumer", final: false}],
  [4009, {name: "stalled", final: false}],
  [4010, {name: "revoked", final: true}],
  [4029, {name: "too_many_commands", final: false}],
]);
