// Follows everything on a page's connection, and notes what it is told; see record.py.
async ({url, symbols, intervals, sample_ms}) => {
  const {acquire, release} = await import("quotewire/registry.js");
  const entries = [];
  const note = (kind, ...facts) => entries.push([kind, Date.now(), ...facts]);
  const connection = acquire(url);

  // As a chart has them: all of what is drawn, changed as the connection says.
  const drawn = new Map();
  const draw = (key, bars, {reset, since_ms}) => {
    const before = reset ? [] : drawn.get(key).filter(({start_ms}) => start_ms < since_ms);
    const from_ms = reset ? -Infinity : since_ms;
    drawn.set(key, [...before, ...bars.filter(({start_ms}) => start_ms >= from_ms)]);
  };
  const noteBars = () => {
    for (const [key, bars] of drawn) {
      for (const {start_ms, open, high, low, close, volume, final} of bars) {
        if (final) note("bar", ...key.split(" "), start_ms, open, high, low, close, volume);
      }
    }
  };

  const follow = (symbol, interval) => connection.subscribeBars(symbol, interval,
    (bars, change) => draw(`${symbol} ${interval}`, bars, change));
  const ends = [
    connection.onState(({state, code, way}) => note("state", state, code, way)),
    connection.onLost(({channel, symbol, interval}) => note("lost", channel, symbol, interval)),
    connection.subscribeTrades(symbols, (trades, skipped) => {
      if (skipped) note("failure", `${skipped} trades were skipped`);
      for (const {symbol, offset, time_ms, price, size} of trades) {
        note("trade", symbol, offset, time_ms, price, size);
      }
    }),
    connection.subscribeQuotes(symbols, (quotes) => {
      for (const {symbol, time_ms, last, volume} of quotes) {
        note("quote", symbol, time_ms, last, volume);
      }
    }),
    ...symbols.flatMap((symbol) => intervals.map((interval) => follow(symbol, interval))),
  ];
  const sampler = setInterval(() => {
    const {state, way} = connection.state;
    note("sample", state, way);
  }, sample_ms);
  window.finish = () => {
    clearInterval(sampler);
    ends.forEach((end) => end());
    release(url);
    noteBars();
    return JSON.stringify(entries);
  };
}
