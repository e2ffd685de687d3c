/**
 * The squarified treemap of Bruls, Huizing and van Wijk (2000): areas that are proportional to
 * values, as nearly square as they can be. Pure.
 *
 * @typedef {{x: number, y: number, width: number, height: number}} Rect
 */

/**
 * @param {readonly number[]} values the largest first is best to look at; those that are not above 0
 *   get no area
 * @param {Rect} place
 * @returns {Rect[]} one for each value
 */
export function treemap(values, place) {
  const shares = values.map((value) => (value > 0 && Number.isFinite(value) ? value : 0));
  const largest = Math.max(0, ...shares);
  const scaled = shares.map((share) => (largest ? share / largest : 0)); // no sum can overflow
  const total = scaled.reduce((sum, share) => sum + share, 0);
  const nowhere = {x: place.x, y: place.y, width: 0, height: 0};
  /** @type {Rect[]} */
  const rects = values.map(() => nowhere);
  if (!total || place.width <= 0 || place.height <= 0) return rects;
  const scale = (place.width * place.height) / total;
  const tiles = scaled.map((share, index) => ({index, area: share * scale})).filter(({area}) => area > 0);
  let rest = place;
  for (let at = 0; at < tiles.length;) {
    const row = nextRow(tiles, at, Math.min(rest.width, rest.height));
    const isLast = at + row.length === tiles.length;
    rest = lay(row, rest, isLast, (index, rect) => (rects[index] = rect));
    at += row.length;
  }
  return rects;
}

/** @typedef {{index: number, area: number}} Tile */

/** As many as make the row squarer. @param {Tile[]} tiles @param {number} from @param {number} side the row's length */
function nextRow(tiles, from, side) {
  let [sum, least, most] = [0, Infinity, 0];
  let worst = Infinity;
  let end = from;
  for (; end < tiles.length; end += 1) {
    const {area} = tiles[end];
    [sum, least, most] = [sum + area, Math.min(least, area), Math.max(most, area)];
    const next = Math.max((side * side * most) / (sum * sum), (sum * sum) / (side * side * least));
    if (next > worst) break;
    worst = next;
  }
  return tiles.slice(from, end);
}

/**
 * Along the shorter side of what is left.
 *
 * @param {Tile[]} row
 * @param {Rect} place
 * @param {boolean} isLast it takes all that is left: what rounding has cost is nobody's
 * @param {(index: number, rect: Rect) => void} give
 * @returns {Rect} what is left then
 */
function lay(row, {x, y, width, height}, isLast, give) {
  const sum = row.reduce((total, {area}) => total + area, 0);
  const isColumn = height <= width;
  const side = isColumn ? height : width;
  const most = isColumn ? width : height;
  const depth = isLast ? most : Math.min(most, sum / side);
  let along = 0;
  row.forEach(({index, area}, at) => {
    const end = at === row.length - 1 ? side : along + (area / sum) * side;
    const length = end - along;
    give(index, isColumn ? {x, y: y + along, width: depth, height: length}
      : {x: x + along, y, width: length, height: depth});
    along = end;
  });
  return isColumn ? {x: x + depth, y, width: Math.max(0, width - depth), height}
    : {x, y: y + depth, width, height: Math.max(0, height - depth)};
}

/**
 * The largest first; but two change places only when one has outgrown the other well, so that a map
 * that is drawn again is the same map.
 *
 * @template K
 * @param {readonly K[]} before the order so far
 * @param {ReadonlyMap<K, number>} values of all that are there now
 * @param {number} [slack] by which ratio one must be larger
 * @returns {K[]}
 */
export function steadyOrder(before, values, slack = 1.25) {
  const known = before.filter((key) => values.has(key));
  const seen = new Set(known);
  const fresh = [...values.keys()].filter((key) => !seen.has(key));
  const of = (/** @type {K} */ key) => values.get(key) ?? 0;
  fresh.sort((a, b) => of(b) - of(a));
  /** @type {K[]} */
  const order = [];
  for (const key of [...known, ...fresh]) {
    let at = order.length;
    const wins = seen.has(key) ? slack : 1;
    while (at > 0 && of(key) > of(order[at - 1]) * wins) at -= 1;
    order.splice(at, 0, key);
  }
  return order;
}
