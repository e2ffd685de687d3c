/**
 * Runs in a page: each message goes from its text to the rows of a watchlist, once a frame.
 *
 * @param {{symbols: string[], shown: number, opening: object[], messages: string[]}} given `shown`:
 *   how many of the symbols have a row
 */
export async function measure({symbols, shown, opening, messages}) {
  const {Session} = await import("quotewire/core/session.js");
  const {QuoteRow} = await import("quotewire/quote_row.js");
  const body = document.querySelector("tbody");
  const listed = symbols.slice(0, shown);
  const rows = new Map(listed.map((symbol) => [symbol, new QuoteRow({symbol, name: symbol})]));
  body.replaceChildren(...[...rows.values()].map((row) => row.element));
  const session = new Session({mode: "websocket"});
  session.want(0, {channel: "quotes", symbols});
  session.start(0);
  for (const message of opening) session.received(0, "websocket", message);
  const plain = new Map();
  const taken = {parse: [], plain: [], core: [], rows: [], layout: []};
  for (const [number, text] of messages.entries()) {
    await new Promise(requestAnimationFrame);
    const began = performance.now();
    const parsed = JSON.parse(text);
    const after = performance.now();
    for (const row of parsed.rows) plain.set(row[0], {last: row[1], volume: row[5]});
    taken.parse.push(after - began);
    taken.plain.push(performance.now() - began);
    apply(session, rows, number, text, taken);
  }
  return {taken, shown: body.textContent, counts: session.meter.counts.received};
}

/** As the connection does: decode, let the core decide, hand what changed to the rows. */
function apply(session, rows, number, text, taken) {
  const began = performance.now();
  const told = session.received(100 * number, "websocket", JSON.parse(text), text.length);
  const decided = performance.now();
  for (const action of told) {
    if (action.do !== "quotes") continue;
    for (const quote of action.quotes) rows.get(quote.symbol)?.show(quote, 100 * number);
  }
  const shown = performance.now();
  document.body.offsetHeight; // has the page laid out
  taken.core.push(decided - began);
  taken.rows.push(shown - began);
  taken.layout.push(performance.now() - shown);
}
