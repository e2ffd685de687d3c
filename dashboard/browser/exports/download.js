/** Getting a file from the feed, part by part. Thin: what to ask for is `plan.js`'s business. */

import {isError} from "quotewire/core/shapes.js";
import {FeedError} from "quotewire/feed_error.js";

/** @typedef {"csv" | "parquet"} Form */

/** A source may be asked before the feed answers, and a part be large. */
const TIMEOUT_MS = 60_000;
/** Beyond, a browser's memory is not the place for it. */
export const MOST_ROWS = 200_000;
const END = "\r\n";
const NOT_THE_FEED = "something in between answered, not the feed";

/**
 * @typedef {object} Part
 * @property {Blob} blob
 * @property {string} name
 * @property {number} rows
 * @property {string} note why rows are missing; empty where none are
 * @property {string} next address of the part before it; empty where there is none
 *
 * @typedef {object} Downloaded
 * @property {{blob: Blob, name: string}[]} files
 * @property {number} rows
 * @property {string} note why rows are missing; empty where none are
 */

/**
 * @param {{url: string, headers: Record<string, string>}} feed
 * @param {import("./plan.js").Export} wanted
 * @param {Form} form
 * @param {object} how
 * @param {AbortSignal} how.signal ends it
 * @param {(rows: number) => void} how.onRows told with each part how many there are so far
 * @returns {Promise<Downloaded>} rejects with `FeedError` where the feed refuses, else with another
 */
export async function download(feed, {path, queries}, form, {signal, onRows}) {
  /** @type {Part[]} */
  const parts = [];
  let rows = 0;
  let cut = "";
  for (const query of queries) {
    let address = addressOf(feed.url, path, {...query, format: form});
    /** @type {Part[]} */
    const older = [];
    while (address && !cut) {
      const part = await partOf(address, feed.headers, signal);
      older.unshift(part);
      rows += part.rows;
      onRows(rows);
      // Without rows the next would be the same again.
      address = part.rows ? part.next : "";
      if (address && rows >= MOST_ROWS) cut = "there are older ones, but a file from here has no more";
    }
    parts.push(...older);
  }
  const notes = new Set([...parts.map(({note}) => note), cut].filter(Boolean));
  return {files: await filesOf(parts, form), rows, note: [...notes].join("; ")};
}

/** @param {string} url @param {string} path @param {Record<string, string | number>} query */
function addressOf(url, path, query) {
  const texts = Object.entries(query).map(([name, value]) => [name, String(value)]);
  return `${url}/api/${path}?${new URLSearchParams(texts)}`;
}

/**
 * @param {string} address
 * @param {Record<string, string>} headers
 * @param {AbortSignal} signal
 * @returns {Promise<Part>}
 */
async function partOf(address, headers, signal) {
  const either = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const answer = await fetch(address, {headers, cache: "no-store", signal: either});
  if (!answer.ok) throw await errorOf(answer);
  const rows = Number(answer.headers.get("Quotewire-Rows") ?? NaN);
  if (Number.isNaN(rows)) throw new Error(NOT_THE_FEED);
  const [, name = "export"] = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "") ?? [];
  const [, next] = /<([^>]*)>; rel="next"/.exec(answer.headers.get("Link") ?? "") ?? [];
  return {
    blob: await answer.blob(), name, rows,
    note: decodeURIComponent(answer.headers.get("Quotewire-Note") ?? ""),
    next: next === undefined ? "" : new URL(next, address).href,
  };
}

/** @param {Response} answer @returns {Promise<Error>} */
async function errorOf(answer) {
  const body = await answer.json().catch(() => null);
  return isError(body) ? new FeedError(body.code, body.message) : new Error(NOT_THE_FEED);
}

/** CSV becomes one file; of Parquet each part stays one, and pandas reads their folder. @param {Part[]} parts @param {Form} form */
async function filesOf(parts, form) {
  if (parts.length === 1) return parts;
  if (form === "csv") return [await joined(parts)];
  return parts.map(({blob, name}, at) => ({
    blob, name: name.replace(/(\.\w+)$/, `-part-${String(at + 1).padStart(2, "0")}-of-${parts.length}$1`),
  }));
}

/** The first has the names of the columns. @param {Part[]} parts */
async function joined(parts) {
  const rest = await Promise.all(parts.slice(1).map(async ({blob}) => {
    const text = await blob.text();
    return text.slice(text.indexOf(END) + END.length);
  }));
  return {blob: new Blob([parts[0].blob, ...rest], {type: parts[0].blob.type}), name: parts[0].name};
}
