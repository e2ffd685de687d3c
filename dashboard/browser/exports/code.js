/** Python code that gets with pandas what the page shows. Pure: text in, text out. */

const IMPORT = "from dashboard.client.blocking import FeedClient";
const TOKEN = "# If the feed asks for a token: set QUOTEWIRE_TOKEN, or give token=.";
const INDENT = "    ";

/**
 * @param {object} asked
 * @param {string} asked.feedUrl
 * @param {string} asked.symbol
 * @param {string} asked.label of its prices
 * @param {string} asked.interval
 * @param {readonly string[]} asked.indicators
 * @param {number | null} asked.start_ms null: as far back as it goes
 * @param {number | null} asked.end_ms null: up to the newest
 * @param {number} asked.limit of one answer
 * @param {boolean} asked.isLong whether there may be more than that
 */
export function barCode({feedUrl, symbol, label, interval, indicators, start_ms, end_ms, limit, isLong}) {
  const given = [text(symbol), text(interval)];
  if (start_ms !== null) given.push(`start=${time(start_ms)}`);
  if (isLong) given.push("end=end");
  else if (end_ms !== null) given.push(`end=${time(end_ms)}`);
  given.push(`limit=${number(limit)}`);
  if (indicators.length) given.push(`indicators=[${indicators.map(text).join(", ")}]`);
  const what = comment(`${symbol}, bars of ${interval}${label ? `, ${label}` : ""}`);
  const call = `feed.history(${given.join(", ")})`;
  if (!isLong) {
    return lines(what, IMPORT, "", TOKEN, opened(feedUrl), `${INDENT}history = ${call}`,
      "bars = history.to_pandas()", "print(bars)");
  }
  return lines(what, "import pandas as pd", "", IMPORT, "", TOKEN,
    `pages, end = [], ${end_ms === null ? "None" : time(end_ms)}`, opened(feedUrl),
    ...[
      "while True:  # an answer has so many bars at most: the older ones come next",
      `${INDENT}page = ${call}`,
      `${INDENT}pages.insert(0, page.to_pandas())`,
      `${INDENT}if not page.more or len(page) == 0:`,
      `${INDENT}${INDENT}break`,
      `${INDENT}end = page.series.start_ms[0] - 1`,
    ].map((line) => INDENT + line),
    "bars = pd.concat(pages)", "print(bars)");
}

/**
 * @param {object} asked
 * @param {string} asked.feedUrl
 * @param {readonly string[]} asked.symbols none: all that the feed has
 */
export function quoteCode({feedUrl, symbols}) {
  const named = symbols.length
    ? [`symbols = [${symbols.map(text).join(", ")}]`] : [];
  return lines(comment("Last values, one row a symbol"), IMPORT, "", ...named, TOKEN, opened(feedUrl),
    `${INDENT}quotes = feed.snapshot(${symbols.length ? "*symbols" : ""}).to_pandas()`, "print(quotes)");
}

/** @param {string} feedUrl */
function opened(feedUrl) {
  return `with FeedClient(${text(feedUrl)}) as feed:`;
}

/** A string of JSON is one of Python, too. @param {string} value */
function text(value) {
  return JSON.stringify(value);
}

/** Whatever is in it, it stays within its line. @param {string} value */
function comment(value) {
  return `# ${text(value).slice(1, -1)}`;
}

/** @param {number} time_ms */
function time(time_ms) {
  return text(new Date(time_ms).toISOString());
}

/** @param {number} value */
function number(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "_");
}

/** @param {...string} all */
function lines(...all) {
  return `${all.join("\n")}\n`;
}
