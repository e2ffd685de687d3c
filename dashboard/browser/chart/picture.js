/** A chart as a picture: its figures, and over them what the page says of them. */

import {canvasesOf} from "quotewire/chart/canvases.js";
import {barTime} from "quotewire/zone.js";

const HEAD_PX = 58;
const MARGIN_PX = 14;
const FONT = "Inter, system-ui, sans-serif";

/**
 * @typedef {object} Words
 * @property {string} title
 * @property {string} subtitle
 * @property {string} legend
 * @typedef {import("./colours.js").Colours} Colours
 */

/**
 * @param {HTMLElement} panes the figures, one above the other, with what the page lays over them
 * @param {Words} words
 * @param {Colours} colours
 * @returns {Promise<Blob>} a PNG
 */
export function pictureOf(panes, words, colours) {
  const scale = window.devicePixelRatio || 1;
  const {width, height} = panes.getBoundingClientRect();
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round((height + HEAD_PX) * scale);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(scale, scale);
  context.fillStyle = colours.card;
  context.fillRect(0, 0, width, height + HEAD_PX);
  drawHead(context, words, colours, width);
  context.translate(0, HEAD_PX);
  drawFigures(context, panes);
  coverEdges(context, panes, colours.card);
  drawLines(context, panes, colours);
  drawTexts(context, panes);
  return new Promise((resolve, reject) => canvas.toBlob((blob) =>
    (blob ? resolve(blob) : reject(new Error("the browser makes no picture of it"))), "image/png"));
}

/**
 * What stands over it.
 *
 * @param {import("../protocol.js").SymbolInfo | null} info
 * @param {import("./figure.js").Subject} subject
 * @param {import("../core/bars.js").Bar | null} last
 * @param {string} legend
 * @returns {Words}
 */
export function wordsOf(info, {interval, zone}, last, legend) {
  const {symbol = "", name = "", label = ""} = info ?? {};
  const time = last ? barTime(last.start_ms, interval, zone) : "";
  const beside = [name === symbol ? "" : name, interval, time, label].filter(Boolean);
  return {title: symbol, subtitle: beside.join(" · "), legend};
}

/** @param {CanvasRenderingContext2D} context @param {Words} words @param {Colours} colours @param {number} width */
function drawHead(context, {title, subtitle, legend}, colours, width) {
  const room = width - 2 * MARGIN_PX;
  context.textBaseline = "alphabetic";
  context.fillStyle = colours.text;
  context.font = `700 16px ${FONT}`;
  context.fillText(title, MARGIN_PX, 23, room);
  const after = MARGIN_PX + context.measureText(title).width + 12;
  context.fillStyle = colours.muted;
  context.font = `12px ${FONT}`;
  context.fillText(subtitle, after, 23, Math.max(1, room - after));
  context.fillText(legend, MARGIN_PX, 45, room);
}

/** @param {CanvasRenderingContext2D} context @param {HTMLElement} panes */
function drawFigures(context, panes) {
  const {left, top} = panes.getBoundingClientRect();
  for (const canvas of canvasesOf(panes)) {
    const box = canvas.getBoundingClientRect();
    if (!box.width || !canvas.width) continue;
    context.drawImage(canvas, box.left - left, box.top - top, box.width, box.height);
  }
}

/** What the page covers by its stylesheet: bars out of view, clamped to the edges of the frame. @param {CanvasRenderingContext2D} context @param {HTMLElement} panes @param {string} card */
function coverEdges(context, panes, card) {
  const {height} = panes.getBoundingClientRect();
  context.fillStyle = card;
  context.fillRect(0, 0, 2, height);
  const axis = parseFloat(panes.style.getPropertyValue("--axis"));
  if (axis) context.fillRect(panes.clientWidth - axis - 1, 0, 2, height);
}

/** Borders that stand for lines: the last price, and the user's. @param {CanvasRenderingContext2D} context @param {HTMLElement} panes @param {Colours} colours */
function drawLines(context, panes, colours) {
  const {left, top} = panes.getBoundingClientRect();
  for (const line of seen(panes, ".last-line, .price-line")) {
    const box = line.getBoundingClientRect();
    const y = Math.round((box.top + box.bottom) / 2 - top) + 0.5;
    const tag = line.querySelector(".tag");
    context.strokeStyle = tag ? getComputedStyle(tag).backgroundColor : colours.accent;
    context.setLineDash(line.matches(".last-line") ? [4, 3] : []);
    context.beginPath();
    context.moveTo(box.left - left, y);
    context.lineTo(box.right - left, y);
    context.stroke();
  }
}

/** Tags, dates and legends, as they look on the page. @param {CanvasRenderingContext2D} context @param {HTMLElement} panes */
function drawTexts(context, panes) {
  const {left, top} = panes.getBoundingClientRect();
  context.textBaseline = "middle";
  for (const element of seen(panes, ".tag:not(.hover, .date), .dates span, .pane-legend .name, .pane-legend b")) {
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (element.matches(".tag")) {
      context.fillStyle = style.backgroundColor;
      context.fillRect(box.left - left, box.top - top, box.width, box.height);
    }
    context.fillStyle = style.color;
    context.font = `${style.fontWeight} ${style.fontSize} ${FONT}`;
    const inset = parseFloat(style.paddingLeft) || 0;
    context.fillText(element.textContent ?? "", box.left - left + inset, (box.top + box.bottom) / 2 - top);
  }
}

/** @param {HTMLElement} panes @param {string} selector @returns {HTMLElement[]} */
function seen(panes, selector) {
  const found = /** @type {HTMLElement[]} */ ([...panes.querySelectorAll(selector)]);
  return found.filter((element) => element.checkVisibility());
}
