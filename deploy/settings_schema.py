"""Writes ``dashboard/browser/settings_schema.js`` from the param class of a user's settings."""

import json
from collections.abc import Iterable, Mapping
from typing import cast

from dashboard.browser import FOLDER
from dashboard.settings import schema

TARGET = FOLDER / "settings_schema.js"

HEAD = """\
/**
 * What a user can set, as JSON Schema by name. (Made by `python -m deploy.settings_schema` from
 * `dashboard/settings.py`.)
 *
 * @typedef {object} Values
%s
 */

/** @type {{readonly [name in keyof Values]: import("./settings_check.js").Schema}} */
export const SCHEMA = %s;
"""
LEAVES = {"boolean": "boolean", "number": "number", "string": "string"}


def schema_module() -> str:
    """Return the module's text."""
    made = schema()
    told = "\n".join(
        f" * @property {{{_type(one)}}} {name} {one['description']}" for name, one in made.items()
    )
    return HEAD % (told, json.dumps(made, indent=2, ensure_ascii=False))


def _type(told: Mapping[str, object]) -> str:
    """Return the type of a schema's values, as JSDoc has it."""
    if "enum" in told:
        return " | ".join(json.dumps(value) for value in cast(Iterable[object], told["enum"]))
    match told["type"]:
        case "array":
            return f"{_type(_below(told, 'items'))}[]"
        case "object":
            fields = _below(told, "properties")
            told_each = (f"{name}: {_type(_below(fields, name))}" for name in fields)
            return f"{{{', '.join(told_each)}}}"
    return LEAVES[str(told["type"])]


def _below(told: Mapping[str, object], name: str) -> Mapping[str, object]:
    return cast(Mapping[str, object], told[name])


if __name__ == "__main__":
    TARGET.write_text(schema_module(), encoding="utf-8")
