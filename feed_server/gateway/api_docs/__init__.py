"""Descriptions of both ways in for programs, made from the structs that go over the wire.

``/openapi.json`` (OpenAPI 3.1) has the HTTP paths, ``/asyncapi.json`` (AsyncAPI 3.0) the messages.
What a field means is read from the docstring of its struct, limits come from the settings.
"""
