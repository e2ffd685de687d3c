/**
 * Where indicators are drawn: over the prices, or in a pane of their own. Pure.
 *
 * Of figures and of lines there can be so many, and no more.
 *
 * @typedef {import("./indicator_catalog.js").IndicatorInfo} IndicatorInfo
 *
 * @typedef {object} Line
 * @property {string} key the feed's name of the indicator
 * @property {number} output which of its values
 * @property {string} label
 * @property {number} colour of the palette
 * @property {"line" | "dots" | "columns"} style
 * @property {number} slot of its style, there where it is drawn
 *
 * @typedef {{spec: string, key: string, title: string, lines: Line[]}} Group one indicator's
 * @typedef {{overlays: Group[], panes: Group[], refused: string[]}} Plan `refused`: specifications
 *   that there is no room for
 *
 * @typedef {Pick<import("./supply.js").Room, "lines" | "dots" | "panes" | "paneLines">} Room
 */

/** Sparse or jumping: a line would join what is apart. */
const DOTS = new Set(["SAR", "SAREXT", "FRACTAL"]);
const PATTERNS = "Pattern Recognition";
const COLOURS = 8;

/**
 * Over the prices each indicator has a colour, in panes each line: apart, for the palette's last ones
 * are compared symbols', which are over the prices too.
 *
 * @param {{spec: string, key: string, info: IndicatorInfo}[]} wanted
 * @param {Room} room
 * @returns {Plan}
 */
export function plan(wanted, room) {
  /** @type {Plan} */
  const made = {overlays: [], panes: [], refused: []};
  const used = {line: 0, dots: 0, columns: 0};
  let belowColour = 0;
  for (const {spec, key, info} of wanted) {
    /** @type {"line" | "dots"} */
    const style = DOTS.has(info.name) ? "dots" : "line";
    const [over, below] = parted(info);
    const full = used[style] + over.length > room[style === "dots" ? "dots" : "lines"]
      || (below.length && made.panes.length >= room.panes) || below.length > room.paneLines;
    if (full) {
      made.refused.push(spec);
      continue;
    }
    const colour = made.overlays.length % COLOURS;
    const lines = over.map((output) => ({
      key, output, label: info.outputs[output], colour, style, slot: used[style]++,
    }));
    if (over.length) made.overlays.push({spec, key, title: info.title, lines});
    if (below.length) {
      made.panes.push({spec, key, title: info.title, lines: inPane(key, below, info, belowColour)});
      belowColour += below.length;
    }
  }
  return made;
}

/**
 * Outputs that are drawn over the prices, and in a pane. Beside prices an indicator's other outputs,
 * as which way its trend goes, are not drawn.
 *
 * @param {IndicatorInfo} info
 */
function parted({outputs, overlay}) {
  const all = outputs.map((_, i) => i);
  const over = all.filter((i) => overlay.includes(outputs[i]));
  return over.length ? [over, []] : [[], all];
}

/**
 * @param {string} key
 * @param {number[]} outputs
 * @param {IndicatorInfo} info
 * @param {number} colour
 * @returns {Line[]}
 */
function inPane(key, outputs, info, colour) {
  let columns = 0;
  let slot = 0;
  return outputs.map((output, i) => {
    const label = info.outputs[output];
    const isColumns = !columns && (info.group === PATTERNS || label.includes("hist"));
    if (isColumns) columns += 1;
    return {
      key, output, label, colour: (colour + i) % COLOURS,
      style: isColumns ? "columns" : "line", slot: isColumns ? 0 : slot++,
    };
  });
}
