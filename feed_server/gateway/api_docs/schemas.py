"""JSON Schemas (2020-12) of the protocol's structs, described by their docstrings. Pure."""

import inspect
import re
from collections.abc import Iterable
from typing import TypeAlias, cast

import msgspec

from feed_server import protocol
from feed_server.protocol import CloseCode, ErrorCode

Json: TypeAlias = dict[str, object]

COMPONENTS = "#/components/schemas/"

_FIELD = re.compile(r"    (\w+): (.+)")
_CONTINUED = re.compile(r"     +(\S.*)")


def split_docstring(docstring: str) -> tuple[str, dict[str, str]]:
    """Return what a docstring in Google's style says, and what it says of each attribute."""
    text, _, section = inspect.cleandoc(docstring).partition("\n\nAttributes:\n")
    attributes: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if begins := _FIELD.fullmatch(line):
            name = begins[1]
            attributes[name] = begins[2]
        elif name and (continues := _CONTINUED.fullmatch(line)):
            attributes[name] += f" {continues[1]}"
        else:
            break
    return text, attributes


def ref(kind: type) -> Json:
    """Return a reference to the schema of a struct or enumeration."""
    return {"$ref": COMPONENTS + kind.__name__}


def components(kinds: Iterable[type]) -> dict[str, Json]:
    """Return by name the schemas of structs of the protocol, and of all that they are made of."""
    _, made = msgspec.json.schema_components(kinds, ref_template=COMPONENTS + "{name}")
    return {name: _described(name, schema) for name, schema in made.items()}


def error_codes(codes: Iterable[ErrorCode] = ErrorCode) -> list[Json]:
    """Return all that there is to know of error codes."""
    return [
        {
            "code": code.value,
            "number": code.number,
            "httpStatus": code.http_status,
            "reason": code.reason,
            "retry": code.retry,
        }
        for code in codes
    ]


def close_codes() -> list[Json]:
    """Return all that there is to know of close codes."""
    return [
        {
            "name": code.name.lower(),
            "number": code.number,
            "reason": code.reason,
            "reconnect": code.reconnect,
        }
        for code in CloseCode
    ]


def _described(name: str, schema: Json) -> Json:
    text, attributes = split_docstring(str(schema.get("description", "")))
    described = schema | {"description": text}
    if name == ErrorCode.__name__:
        return described | {"x-codes": error_codes()}
    if "prefixItems" in schema:
        fields = getattr(protocol, name).__struct_fields__
        items = cast(list[Json], schema["prefixItems"])
        described["prefixItems"] = [
            {"title": field} | item | _description(attributes.get(field))
            for field, item in zip(fields, items, strict=True)
        ]
    elif "properties" in schema:
        properties = cast(dict[str, Json], schema["properties"])
        described["properties"] = {
            field: item | _description(attributes.get(field)) for field, item in properties.items()
        }
    return described


def _description(text: str | None) -> Json:
    return {"description": text} if text else {}
