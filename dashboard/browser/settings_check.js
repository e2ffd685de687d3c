/**
 * Whether a value may be a setting: the part of JSON Schema that `settings_schema.js` uses. Pure, but
 * for what the browser knows of time zones.
 *
 * @typedef {object} Schema an object has all its properties and no other; a text with `format`
 *   "zone" is a time zone
 * @property {string} [title] in a person's words
 * @property {string} [description] what it does
 * @property {unknown} [default] what is usual
 * @property {string} [type] `boolean`, `number`, `string`, `array` or `object`
 * @property {readonly unknown[]} [enum]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {string} [pattern]
 * @property {string} [format]
 * @property {number} [maxLength]
 * @property {Schema} [items]
 * @property {number} [minItems]
 * @property {number} [maxItems]
 * @property {boolean} [uniqueItems]
 * @property {number} [maxBytes] as JSON
 * @property {{readonly [name: string]: Schema}} [properties]
 */

import {isZone} from "quotewire/zone.js";

/** Words that stand for a time zone. */
const OF_SOMEONE = ["exchange", "local"];

/** Half of a pair of UTF-16: no text that can be sent has it. */
const LONE = /\p{Surrogate}/u;

/** @type {Record<string, (schema: Schema, value: any) => boolean>} */
const CHECKS = {
  boolean: (_, value) => typeof value === "boolean",
  number: ({minimum = -Infinity, maximum = Infinity}, value) =>
    typeof value === "number" && value >= minimum && value <= maximum,
  string: ({pattern = "", maxLength = Infinity, format}, value) =>
    typeof value === "string" && value.length <= maxLength && !LONE.test(value) && new RegExp(pattern, "u").test(value)
    && (format !== "zone" || OF_SOMEONE.includes(value) || isZone(value)),
  array: (schema, value) => Array.isArray(value) && fits(schema, value) && !hasTwice(schema, value)
    && value.every((item) => isValid(/** @type {Schema} */ (schema.items), item)),
  object: ({properties = {}}, value) => typeof value === "object" && value !== null
    && Object.keys(value).length === Object.keys(properties).length
    && Object.entries(properties).every(([name, schema]) =>
      Object.hasOwn(value, name) && isValid(schema, value[name])),
};

/** @param {Schema} schema @param {unknown} value @returns {boolean} */
export function isValid(schema, value) {
  if (schema.enum) return schema.enum.includes(value);
  return CHECKS[schema.type ?? ""](schema, value);
}

/**
 * What can be used of a value. Of a list of named things those that may be, of each name the first,
 * as far as there is room.
 *
 * @param {Schema} schema
 * @param {unknown} value
 * @returns {{value: unknown, isWhole: boolean} | null} null where nothing can
 */
export function usable(schema, value) {
  if (isValid(schema, value)) return {value, isWhole: true};
  if (!Array.isArray(value) || !schema.items?.properties) return null;
  const {items, maxItems} = schema;
  const names = new Set();
  const kept = value.filter((item) =>
    isValid(items, item) && !names.has(item.name) && names.add(item.name)).slice(0, maxItems);
  while (kept.length && !isValid(schema, kept)) kept.pop();
  return kept.length ? {value: kept, isWhole: false} : null;
}

/** @param {Schema} schema @param {unknown[]} list */
function fits({minItems = 0, maxItems = Infinity, maxBytes = Infinity}, list) {
  return list.length >= minItems && list.length <= maxItems && bytesOf(list) <= maxBytes;
}

/** @param {unknown[]} list */
function bytesOf(list) {
  return new TextEncoder().encode(JSON.stringify(list)).length;
}

/** Of things their names count. @param {Schema} schema @param {any[]} list */
function hasTwice({items, uniqueItems = items?.properties !== undefined}, list) {
  const names = items?.properties ? list.map((item) => item?.name) : list;
  return uniqueItems && new Set(names).size < list.length;
}
