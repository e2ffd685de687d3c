/** What the feed answers instead of a body: a code of its protocol, and words for a person. */

export const SENSELESS = "the feed said what cannot be understood";

/** The feed answered, with an error. */
export class FeedError extends Error {
  /** @param {string} code as `feed_server/protocol/codes.py` has them @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = "FeedError";
    this.code = code;
  }
}

/** @param {unknown} error @returns {{code: string, reason: string}} */
export function explain(error) {
  if (error instanceof FeedError) return {code: error.code, reason: error.message};
  return {code: "unreachable", reason: "the feed cannot be reached"};
}
