/**
 * What a user can set, as JSON Schema by name. (Made by `python -m deploy.settings_schema` from
 * `dashboard/settings.py`.)
 *
 * @typedef {object} Values
 * @property {"auto" | "websocket" | "polling"} mode How live data comes: WebSocket, HTTP polling, or WebSocket with polling behind it.
 * @property {number} poll_ms From one poll to the next, in milliseconds.
 * @property {number} max_hz Updates a second at most; 0: as the feed likes.
 * @property {"system" | "dark" | "light"} theme Dark or light, or as the system has it.
 * @property {"blue_orange" | "green_red" | "red_up"} palette The first one is told apart by all; in East Asia red is up.
 * @property {boolean} animations Whether anything moves.
 * @property {boolean} flash Whether a price that moves flashes.
 * @property {string} timezone Of the exchange, of this computer (`local`), or a name such as Europe/Berlin.
 * @property {"auto" | "1,234.56" | "1.234,56" | "1 234,56"} number_format How numbers are written; `auto`: as is usual in the browser's language.
 * @property {"dashboard" | "market" | "symbol" | "debug"} default_page The page of an address that names none.
 * @property {{name: string, symbols: string[]}[]} watchlists Named lists of symbols, the usual one first; an empty one is all of the feed.
 * @property {{name: string, indicators: string[]}[]} chart_templates Indicators kept under a name, to be put on another chart.
 */

/** @type {{readonly [name in keyof Values]: import("./settings_check.js").Schema}} */
export const SCHEMA = {
  "mode": {
    "title": "Transport",
    "description": "How live data comes: WebSocket, HTTP polling, or WebSocket with polling behind it.",
    "default": "auto",
    "enum": [
      "auto",
      "websocket",
      "polling"
    ]
  },
  "poll_ms": {
    "title": "Poll interval",
    "description": "From one poll to the next, in milliseconds.",
    "default": 1000,
    "type": "number",
    "minimum": 250,
    "maximum": 60000
  },
  "max_hz": {
    "title": "Most updates",
    "description": "Updates a second at most; 0: as the feed likes.",
    "default": 0,
    "type": "number",
    "minimum": 0,
    "maximum": 60
  },
  "theme": {
    "title": "Theme",
    "description": "Dark or light, or as the system has it.",
    "default": "system",
    "enum": [
      "system",
      "dark",
      "light"
    ]
  },
  "palette": {
    "title": "Up and down",
    "description": "The first one is told apart by all; in East Asia red is up.",
    "default": "blue_orange",
    "enum": [
      "blue_orange",
      "green_red",
      "red_up"
    ]
  },
  "animations": {
    "title": "Animations",
    "description": "Whether anything moves.",
    "default": true,
    "type": "boolean"
  },
  "flash": {
    "title": "Flash",
    "description": "Whether a price that moves flashes.",
    "default": true,
    "type": "boolean"
  },
  "timezone": {
    "title": "Time zone",
    "description": "Of the exchange, of this computer (`local`), or a name such as Europe/Berlin.",
    "default": "exchange",
    "type": "string",
    "pattern": "^(exchange|local|UTC|[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2})$",
    "maxLength": 64,
    "format": "zone"
  },
  "number_format": {
    "title": "Numbers",
    "description": "How numbers are written; `auto`: as is usual in the browser's language.",
    "default": "auto",
    "enum": [
      "auto",
      "1,234.56",
      "1.234,56",
      "1 234,56"
    ]
  },
  "default_page": {
    "title": "First page",
    "description": "The page of an address that names none.",
    "default": "dashboard",
    "enum": [
      "dashboard",
      "market",
      "symbol",
      "debug"
    ]
  },
  "watchlists": {
    "title": "Watchlists",
    "description": "Named lists of symbols, the usual one first; an empty one is all of the feed.",
    "default": [
      {
        "name": "All symbols",
        "symbols": []
      }
    ],
    "type": "array",
    "items": {
      "type": "object",
      "properties": {
        "name": {
          "type": "string",
          "pattern": "^\\S(.{0,38}\\S)?$"
        },
        "symbols": {
          "type": "array",
          "items": {
            "type": "string",
            "pattern": "^[\\w.:^=/-]+$",
            "maxLength": 64
          },
          "maxItems": 500,
          "uniqueItems": true
        }
      }
    },
    "minItems": 1,
    "maxItems": 20,
    "maxBytes": 196608
  },
  "chart_templates": {
    "title": "Chart templates",
    "description": "Indicators kept under a name, to be put on another chart.",
    "default": [],
    "type": "array",
    "items": {
      "type": "object",
      "properties": {
        "name": {
          "type": "string",
          "pattern": "^\\S(.{0,38}\\S)?$"
        },
        "indicators": {
          "type": "array",
          "items": {
            "type": "string",
            "pattern": "^[A-Z0-9_]{1,32}(\\([\\d.,\\s-]*\\))?$",
            "maxLength": 100
          },
          "maxItems": 20,
          "uniqueItems": true
        }
      }
    },
    "minItems": 0,
    "maxItems": 20,
    "maxBytes": 49152
  }
};
