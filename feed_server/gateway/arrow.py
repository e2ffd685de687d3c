"""Bars as an Arrow IPC stream, for analysts; and who asks for it."""

from collections.abc import Iterator

from feed_server.protocol import BarSeries

ARROW = "application/vnd.apache.arrow.stream"
"""https://www.iana.org/assignments/media-types/application/vnd.apache.arrow.stream"""

JSON_RANGES = ("application/json", "application/*", "*/*")
"""What JSON fits, the most exact first."""

COLUMNS = ("open", "high", "low", "close", "volume")


def prefers_arrow(accept: str) -> bool:
    """Tell whether a header ``Accept`` (RFC 9110, 12.5.1) asks for Arrow rather than JSON.

    Who does not name Arrow gets JSON, whatever else is asked for; also who likes both the same.
    """
    asked = dict(_ranges(accept))
    arrow = asked.get(ARROW, 0.0)
    json = next((asked[name] for name in JSON_RANGES if name in asked), 0.0)
    # A client that takes anything, but names Arrow, has a reason to name it.
    return arrow > json or (arrow == json > 0 and JSON_RANGES[0] not in asked)


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """Yield media ranges and how much each is liked; 0 where that cannot be read."""
    for part in accept.lower().split(","):
        name, *parameters = (text.strip() for text in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            yield name, float(weight)
        except ValueError:
            yield name, 0.0


def arrow_stream(series: BarSeries) -> bytes:
    """Return a series as an Arrow IPC stream of one batch.

    Columns: ``start_ms`` as ``timestamp[ms, UTC]``, ``open`` to ``volume`` as float64, ``final`` as
    bool; then each output of each indicator, such as ``SMA(20).real``, as float64. What else a
    `BarSeries` tells is the schema's metadata, as text; what is null is left out.

    It takes a moment the first time, for it loads Arrow: not to be called on an event loop.
    """
    # Here, for a gateway that nobody asks for Arrow does without.
    import pyarrow as pa

    columns = {
        "start_ms": pa.array(series.start_ms, pa.timestamp("ms", "UTC")),
        **{name: pa.array(getattr(series, name), pa.float64()) for name in COLUMNS},
        "final": pa.array(series.final, pa.bool_()),
        **{
            f"{indicator}.{output}": pa.array(values, pa.float64())
            for indicator, outputs in series.indicators.items()
            for output, values in outputs.items()
        },
    }
    told = {
        "symbol": series.symbol,
        "interval": series.interval.value,
        "epoch": series.epoch,
        "offset": str(series.offset),
        "more": str(series.more).lower(),
        "time_ms": None if series.time_ms is None else str(series.time_ms),
        "note": series.note,
    }
    metadata = {name: text for name, text in told.items() if text is not None}
    batch = pa.record_batch(columns, metadata=metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    body: bytes = sink.getvalue().to_pybytes()
    return body
