"""Serves browsers and notebooks: WebSocket, HTTP, conflation, fan-out, metrics, health."""
