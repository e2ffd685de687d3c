/**
 * Runs in a page: each message goes from its text through the page's connection to the rows of a
 * watchlist, in a frame of its own.
 *
 * @param {{symbols: string[], shown: number, opening: object[], messages: string[]}} given `shown`:
 *   how many of the symbols have a row
 */
export async function measure({symbols, shown, opening, messages}) {
  const {Connection} = await import("quotewire/connection.js");
  const {browser} = await import("quotewire/environment.js");
  const {isMessage} = await import("quotewire/core/shapes.js");
  const {QuoteRow} = await import("quotewire/quote_row.js");
  const {pathsOf} = await import("quotewire/session_paths.js");
  const body = document.querySelector("tbody");
  const rows = new Map(symbols.slice(0, shown).map((symbol) =>
    [symbol, new QuoteRow({symbol, name: symbol})]));
  body.replaceChildren(...[...rows.values()].map((row) => row.element));

  let handlers, frame;
  const environment = {
    ...browser,
    isHidden: () => false,
    watchPage: () => () => {},
    requestFrame: (call) => { frame = call; return 1; },
    direct: () => ({
      open(given) { handlers = given; return {send() {}, close() {}}; },
      get: () => new Promise(() => {}),
    }),
  };
  const connection = new Connection("http://feed", {settings: {mode: "websocket"}, environment});
  const paths = pathsOf(connection);
  connection.subscribeQuotes(symbols, (quotes) => {
    const now_ms = performance.now();
    for (const quote of quotes) rows.get(quote.symbol)?.show(quote, paths.add(quote), now_ms);
  });
  connection.start();
  for (const message of opening) handlers.onMessage(message, 0);
  frame();

  const taken = {parse: [], plain: [], core: [], rows: [], layout: []};
  const plain = new Map();
  for (const text of messages) {
    await new Promise(requestAnimationFrame);
    measureBare(text, plain, taken);
    const began = performance.now();
    const message = JSON.parse(text);
    if (isMessage(message)) handlers.onMessage(message, text.length);
    taken.core.push(performance.now() - began);
    frame();
    const applied = performance.now();
    taken.rows.push(applied - began);
    document.body.offsetHeight; // has the page laid out
    taken.layout.push(performance.now() - applied);
  }
  const {received} = connection.stats();
  connection.stop();
  return {taken, received, shown: body.textContent};
}

/** The least that the same text can cost. */
function measureBare(text, plain, taken) {
  const began = performance.now();
  const {rows} = JSON.parse(text);
  taken.parse.push(performance.now() - began);
  for (const row of rows) plain.set(row[0], {last: row[1], volume: row[5]});
  taken.plain.push(performance.now() - began);
}
