/** What a chart shows, for tests and for the curious. */

/** @param {import("./figure.js").ChartFigure} figure */
export function factsOf(figure) {
  const {bars, viewport, view} = figure;
  const {first, end} = bars.extent;
  return {
    bars: end - first,
    last: drawn(bars.at()),
    before_last: drawn(bars.at(end - 2)),
    first: drawn(bars.all[0] ?? null),
    following: viewport.following,
    view: {from: view.bars[0]?.start_ms, to: view.bars.at(-1)?.start_ms, bars: view.bars.length},
    prices: {low: figure.axis("price").priceAt(1), high: figure.axis("price").priceAt(0)},
    dates: figure.dates.texts,
  };
}

/** @param {import("../core/bars.js").Bar | null} bar */
function drawn(bar) {
  if (!bar) return null;
  const {start_ms, open, high, low, close, volume} = bar;
  return {start_ms, open, high, low, close, volume};
}
