// Follows everything on a page's connection, and notes what it is told; see record.py.
async ({url, symbols, intervals, sample_ms}) => {
  const {acquire, release} = await import("quotewire/registry.js");
  const entries = [];
  const VALUES = ["open", "high", "low", "close", "volume"];
  const note = (kind, ...facts) => entries.push([kind, Date.now(), ...facts]);
  const connection = acquire(url);

  // As a chart has them: all of what is drawn, changed as the connection says. What is final stays.
  const drawn = new Map();
  const draw = (key, bars, {reset, since_ms}) => {
    const from_ms = reset ? -Infinity : since_ms;
    const held = drawn.get(key) ?? [];
    const redrawn = new Map();
    for (const bar of bars) if (bar.start_ms >= from_ms) redrawn.set(bar.start_ms, bar);
    for (const bar of held) {
      const now = redrawn.get(bar.start_ms);
      const same = now?.final && VALUES.every((name) => now[name] === bar[name]);
      if (bar.final && bar.start_ms >= from_ms && !same) {
        note("failure", `${key}: the final bar of ${bar.start_ms} was drawn anew as another`);
      }
    }
    const before = held.filter(({start_ms}) => start_ms < from_ms);
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
