/** How bars look: candles, hollow candles, a line or an area, in which colours. */

/** @type {import("../panel.d.ts").Here} */
const HERE = {sync: false};

/**
 * @typedef {import("../panel.d.ts").Model} Model
 * @typedef {import("./colours.js").Colours} Colours
 * @typedef {"candles" | "hollow" | "line" | "area"} Kind
 *
 * @typedef {object} Looked models of the figures of prices and volumes
 * @property {Model} wick
 * @property {Model} body
 * @property {Model} line
 * @property {Model} area
 * @property {Model} outline colours by direction
 * @property {Model} fill likewise
 */

/** @type {Record<Kind, (keyof Looked)[]>} */
const SHOWN = {candles: ["wick", "body"], hollow: ["wick", "body"], line: ["line"], area: ["line", "area"]};
/** @type {(keyof Looked)[]} */
const GLYPHS = ["wick", "body", "line", "area"];

/** @param {import("../core/bars.js").Bar} bar @param {import("../core/bars.js").Bar} [before] */
export function directionOf({open, close}, before) {
  const body = close >= open ? "up" : "down";
  const move = !before ? body : close >= before.close ? "up" : "down";
  return `${body} ${move}`;
}

/**
 * Colours in the order of the directions: up up, up down, down up, down down.
 *
 * Candles have the colour of their own way. Hollow ones have that of their close against the close
 * before, and are filled where they closed below their open.
 *
 * @param {Kind} kind
 * @param {Colours} colours
 */
export function palettes(kind, {up, down, card}) {
  if (kind === "candles") {
    const own = [up, up, down, down];
    return {outline: own, fill: own, volume: own};
  }
  const moved = [up, down, up, down];
  // Hollow: filled with the card's colour, so that the wick does not show through.
  return {outline: moved, fill: [card, card, up, down], volume: moved};
}

/** @param {Looked} looked @param {Model} volumes colours by direction @param {Kind} kind @param {Colours} colours */
export function dress(looked, volumes, kind, colours) {
  for (const name of GLYPHS) looked[name].setv({visible: SHOWN[kind].includes(name)}, HERE);
  const {outline, fill, volume} = palettes(kind, colours);
  looked.outline.setv({palette: outline}, HERE);
  looked.fill.setv({palette: fill}, HERE);
  volumes.setv({palette: volume}, HERE);
  glyphOf(looked.line).setv({line_color: colours.accent}, HERE);
  glyphOf(looked.area).setv({fill_color: colours.accent}, HERE);
}

/** @param {Model} renderer @returns {Model} */
export function glyphOf(renderer) {
  return /** @type {any} */ (renderer).glyph;
}
