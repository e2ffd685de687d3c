"""Serves the descriptions, to anyone."""

from collections.abc import Callable
from functools import cache

from msgspec import Raw

from feed_server.gateway.api_docs.asyncapi import asyncapi
from feed_server.gateway.api_docs.openapi import openapi
from feed_server.gateway.api_docs.schemas import Json
from feed_server.gateway.http_api import OpenHandler
from feed_server.protocol import encode
from feed_server.settings import FeedSettings


class OpenApiHandler(OpenHandler):
    """``/openapi.json``: what can be asked for over HTTP."""

    def get(self) -> None:
        """Answer with the document."""
        self.answer(_encoded(openapi, self.gateway.settings))


class AsyncApiHandler(OpenHandler):
    """``/asyncapi.json``: what is said over the WebSocket and the event stream."""

    def get(self) -> None:
        """Answer with the document."""
        self.answer(_encoded(asyncapi, self.gateway.settings))


@cache
def _encoded(make: Callable[[FeedSettings], Json], settings: FeedSettings) -> Raw:
    return Raw(encode(make(settings)))
