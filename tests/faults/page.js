// Follows everything on a page's connection, and notes what it is told; see record.py.
async ({url, symbols, intervals, sample_ms}) => {
  const {acquire, release} = await import("quotewire/registry.js");
  const entries = [];
  const note = (kind, ...facts) => entries.push([kind, Date.now(), ...facts]);
  const connection = acquire(url);
  const ends = [
    connection.onState(({state, code, way}) => note("state", state, code, way ?? "")),
    connection.subscribeQuotes(symbols, (quotes) => {
      for (const {symbol, time_ms, last, volume} of quotes.values()) {
        note("quote", symbol, time_ms, last, volume);
      }
    }),
  ];
  const sampler = setInterval(() => {
    const {state, way} = connection.state;
    note("sample", state, way ?? "");
  }, sample_ms);
  window.finish = () => {
    clearInterval(sampler);
    ends.forEach((end) => end());
    release(url);
    return JSON.stringify(entries);
  };
}
