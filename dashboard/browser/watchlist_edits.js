/**
 * Changes to the named watchlists. Pure: each returns new lists, and what is there already is not
 * changed in place.
 *
 * @typedef {{name: string, symbols: string[]}} NamedList
 */

import {SYMBOL, spelled} from "quotewire/symbol_match.js";

const LONGEST = 40;

/** Another place in its list for one item. @template T @param {readonly T[]} list @param {number} at @param {number} step @returns {T[]} */
export function moved(list, at, step) {
  const to = at + step;
  if (to < 0 || to >= list.length) return [...list];
  const rest = list.filter((_, index) => index !== at);
  return [...rest.slice(0, to), list[at], ...rest.slice(to)];
}

/** @template T @param {readonly T[]} list @param {number} at @returns {T[]} */
export function without(list, at) {
  return list.filter((_, index) => index !== at);
}

/** @param {readonly NamedList[]} lists @param {number} at @param {Partial<NamedList>} changes */
export function changed(lists, at, changes) {
  return lists.map((list, index) => (index === at ? {...list, ...changes} : list));
}

/** With one more list, under a name that is free. @param {readonly NamedList[]} lists @returns {NamedList[]} */
export function withNew(lists) {
  const names = new Set(lists.map(({name}) => name));
  let name = "New list";
  for (let number = 2; names.has(name); number += 1) name = `New list ${number}`;
  return [...lists, {name, symbols: []}];
}

/**
 * What a list is called now.
 *
 * @param {readonly NamedList[]} before
 * @param {readonly NamedList[]} after
 * @param {string | null} name of one of those before
 * @returns {string | null} null where it has its name still, or is gone
 */
export function renamed(before, after, name) {
  const at = before.findIndex((list) => list.name === name);
  if (at < 0 || before.length !== after.length || after.some((list) => list.name === name)) return null;
  const {name: now} = after[at];
  return before.some((list) => list.name === now) ? null : now;
}

/** Why a list may not be called so; empty where it may. @param {readonly NamedList[]} lists @param {number} at @param {string} name */
export function nameProblem(lists, at, name) {
  if (!name) return "A list needs a name.";
  if ([...name].length > LONGEST) return `A name has ${LONGEST} letters at most.`;
  return lists.some((list, index) => index !== at && list.name === name) ? `There is a list “${name}” already.` : "";
}

/**
 * Symbols that someone has typed, put to the end of a list.
 *
 * @param {readonly string[]} symbols of the list
 * @param {string} text several are separated by commas or spaces
 * @param {Iterable<string>} known by the feed: how they are spelled
 * @returns {{symbols: string[], strange: string[]}} `strange`: parts of the text that no symbol is like
 */
export function withTyped(symbols, text, known) {
  const symbolsKnown = [...known];
  const typed = text.split(/[\s,;]+/).filter(Boolean).map((part) => spelled(part, symbolsKnown));
  const strange = typed.filter((part) => !SYMBOL.test(part));
  const added = typed.filter((part) => SYMBOL.test(part));
  return {symbols: [...new Set([...symbols, ...added])], strange};
}

/**
 * One symbol before or after another one.
 *
 * @param {readonly string[]} symbols
 * @param {string} symbol
 * @param {string} target
 * @param {boolean} isAfter
 */
export function placed(symbols, symbol, target, isAfter) {
  if (symbol === target || !symbols.includes(target)) return [...symbols];
  const rest = symbols.filter((other) => other !== symbol);
  const at = rest.indexOf(target) + Number(isAfter);
  return [...rest.slice(0, at), symbol, ...rest.slice(at)];
}
