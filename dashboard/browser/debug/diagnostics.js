/** All that is known, as a file for who is to find a fault; without secrets. Pure. */

const HIDDEN = "***";
/** What a JSON Web Token looks like, wherever it may stand. */
const TOKENS = /eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;
/** Who and with which password, in an address. */
const CREDENTIALS = /(\w+:\/\/)[^\s/"@]+@/g;

/**
 * @param {object} facts
 * @param {string[]} secrets that are known; empty ones are none
 * @returns {string} JSON
 */
export function diagnosticsOf(facts, secrets) {
  const text = JSON.stringify({kind: "quotewire diagnostics", ...facts}, null, 2);
  return `${secrets.filter(Boolean).reduce((left, secret) => left.replaceAll(secret, HIDDEN), text)
    .replace(TOKENS, HIDDEN).replace(CREDENTIALS, `$1${HIDDEN}@`)}\n`;
}

/** @param {number} now_ms */
export function fileName(now_ms) {
  return `quotewire-diagnostics-${new Date(now_ms).toISOString().slice(0, 19).replaceAll(":", "")}Z.json`;
}
