import math
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from feed_server.bus.update import StoredUpdate, SymbolUpdate
from feed_server.ingest.record_files import (
    SCHEMAS,
    Journal,
    Journals,
    Row,
    part_names,
    read_journal,
    recover,
)
from feed_server.ingest.record_track import Gap, Taken, Track
from feed_server.market.events import MarketEvent, TopOfBook
from feed_server.protocol import Quote, Trade, TradePrint
from feed_server.providers.base import Watchlist
from feed_server.providers.replay import open_replay

T0 = 1_381_152_600_000  # 2013-10-07 13:30 UTC


def stored(
    offset: int, trades: int = 1, *, missing: int = 0, epoch: str = "e", time_ms: int | None = None
) -> StoredUpdate:
    """An update whose trades' prices are their offsets."""
    count = trades + missing or 1
    time_ms = offset if time_ms is None else time_ms
    quote = Quote(
        *("BAC", float(offset), 1.0, None, None, 1.0, 1.0, 1.0, 1.0, None),
        *("2013-10-07", time_ms, time_ms + 3, count),
    )
    prints = [TradePrint(time_ms, float(n), 1) for n in range(offset - trades + 1, offset + 1)]
    return StoredUpdate(epoch, offset, SymbolUpdate(quote, [], prints, missing))


def track(*before: StoredUpdate) -> Track:
    made = Track("BAC")
    for one in before:
        made.take(one)
    return made


def offsets(taken: Taken | None) -> list[int]:
    assert taken is not None
    found = list(range(taken.first_offset, taken.first_offset + len(taken.trades)))
    assert [int(trade.price) for trade in taken.trades] == found
    return found


def gaps(taken: Taken | None) -> list[tuple[str, int, int]]:
    assert taken is not None
    return [(gap.reason, gap.after, gap.until) for gap in taken.gaps]


# What is missing


def test_updates_that_follow_each_other_have_no_gap() -> None:
    bac = track()
    assert gaps(first := bac.take(stored(7, 2))) == [("begin", 5, 5)]
    assert offsets(first) == [6, 7]
    assert gaps(second := bac.take(stored(10, 3))) == []
    assert offsets(second) == [8, 9, 10]


def test_a_change_of_the_best_prices_is_no_trade() -> None:
    bac = track(stored(7))
    quoted = bac.take(stored(8, 0))
    assert quoted is not None
    assert (quoted.trades, quoted.gaps) == ([], [])
    assert gaps(bac.take(stored(9))) == []


def test_what_was_there_before_is_not_taken_twice() -> None:
    bac = track(stored(7))
    assert bac.take(stored(7)) is None
    assert bac.take(stored(5)) is None
    assert offsets(bac.take(stored(9, 4))) == [8, 9]


def test_what_was_not_heard_is_a_gap_with_its_bounds() -> None:
    bac = track(stored(7))
    jumped = stored(12, 2)
    assert bac.missed_after(jumped) == 7
    taken = bac.take(jumped)
    assert taken is not None
    assert taken.gaps == [Gap("BAC", "lost", "e", 7, 10, 12, 15)]
    assert offsets(taken) == [11, 12]


def test_trades_that_were_never_told_are_a_gap_of_their_own() -> None:
    taken = track(stored(7)).take(stored(12, 2, missing=3))
    assert gaps(taken) == [("untold", 7, 10)]
    assert offsets(taken) == [11, 12]


def test_a_new_epoch_is_a_gap_and_offsets_begin_again() -> None:
    bac = track(stored(7))
    assert bac.missed_after(stored(3, 1, epoch="f")) == 0
    assert bac.missed_after(stored(1, 1, epoch="f")) is None
    assert gaps(bac.take(stored(1, 1, epoch="f"))) == [("epoch", 0, 0)]
    assert gaps(bac.take(stored(2, 1, epoch="f"))) == []


def test_recording_begins_after_what_was_the_last_value_then() -> None:
    bac = Track("BAC")
    assert bac.missed_after(stored(40)) is None
    assert bac.begin(stored(40)) == Gap("BAC", "begin", "e", 40, 40, 40, 43)
    assert bac.behind(stored(40)) is None
    assert bac.behind(stored(42)) == 40
    assert bac.behind(stored(2, epoch="f")) == 0
    assert gaps(bac.take(stored(41))) == []


# Files


def rows(first: int, last: int, symbol: str = "BAC", epoch: str = "e") -> list[Row]:
    return [(symbol, T0 + n, float(n), 100.0, T0 + n + 3, epoch, n) for n in range(first, last + 1)]


def journals(folder: Path) -> list[Path]:
    return sorted(folder.rglob("_journal-*"))


def parquet(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.parquet"))


def opened(folder: Path, part: str = "p-0") -> Journals:
    return Journals(folder, part)


async def played(*paths: Path) -> list[MarketEvent]:
    provider = open_replay(paths, None, "America/New_York", math.inf)
    return [event async for batch in provider.stream(Watchlist(), {}) for event in batch]


async def prices(path: Path, symbol: str = "BAC") -> list[float]:
    return [e.price for e in await played(path) if isinstance(e, Trade) and e.symbol == symbol]


async def test_a_finished_recording_is_parquet_by_date_and_symbol(tmp_path: Path) -> None:
    made = opened(tmp_path)
    late = ("BAC", T0 + 86_400_000, 9.0, 1.0, T0, "e", 9)
    made.append({"trades": [*rows(1, 2), *rows(1, 1, "EUR/USD"), late]})
    made.append({"trades": rows(10, 11), "gaps": []})
    made.finish()
    assert [str(file.relative_to(tmp_path)) for file in parquet(tmp_path)] == [
        "trades/date=2013-10-07/symbol=BAC/part-p-0.parquet",
        "trades/date=2013-10-07/symbol=EUR%2FUSD/part-p-0.parquet",
        "trades/date=2013-10-08/symbol=BAC/part-p-0.parquet",
    ]
    assert journals(tmp_path) == []
    assert pq.read_table(tmp_path / "trades").num_rows == 6
    assert await played(tmp_path / "trades") == await played(tmp_path) != []
    assert await prices(tmp_path, "EUR/USD") == [1.0]


async def test_trades_are_played_as_they_were_published_late_ones_late(tmp_path: Path) -> None:
    made = opened(tmp_path)
    times = [5, 9, 7, 7, 12]
    made.append(
        {"trades": [("BAC", T0 + t, n + 1.0, 1.0, T0 + n, "e", n) for n, t in enumerate(times)]}
    )
    made.finish()
    events = await played(tmp_path / "trades")
    assert events == [Trade("BAC", T0 + t, n + 1, 1) for n, t in enumerate(times)]


async def test_a_late_trade_of_the_day_before_is_played_on_the_day_when_it_came(
    tmp_path: Path,
) -> None:
    midnight = T0 + 52_200_000  # in New York
    made = opened(tmp_path)
    times = [midnight - 10, midnight + 10, midnight - 5, midnight + 20]
    made.append({"trades": [("BAC", t, 1.0, 1.0, t, "e", n) for n, t in enumerate(times)]})
    made.finish()
    provider = open_replay([tmp_path], date(2013, 10, 8), "America/New_York", math.inf)
    batches = [batch async for batch in provider.stream(Watchlist(), {})]
    assert [event.time_ms for batch in batches for event in batch] == times[1:]


async def test_epochs_and_parts_follow_each_other(tmp_path: Path) -> None:
    for part, some in (("b", rows(1, 3, epoch="z")), ("a", rows(4, 6, epoch="z"))):
        made = opened(tmp_path, part)
        made.append({"trades": some})
        made.finish()
    made = opened(tmp_path, "c")
    made.append({"trades": [("BAC", T0 + 99, 99.0, 1.0, T0 + 99, "a", 1)]})
    made.finish()
    assert await prices(tmp_path) == [1, 2, 3, 4, 5, 6, 99]


async def test_what_two_recorders_wrote_is_played_once(tmp_path: Path) -> None:
    for part, (first, last) in {"a": (1, 5), "b": (3, 8)}.items():
        made = opened(tmp_path, part)
        made.append({"trades": rows(first, last)})
        made.finish()
    assert await prices(tmp_path) == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_a_journal_is_played_and_then_put_in_order_by_the_next(tmp_path: Path) -> None:
    made = opened(tmp_path)
    made.append({"trades": rows(1, 3)})
    assert recover(tmp_path) == []  # its writer lives
    assert await prices(tmp_path / "trades") == [1, 2, 3]
    made.abandon()
    assert recover(tmp_path) != []
    assert journals(tmp_path) == []
    assert await prices(tmp_path) == [1, 2, 3]


@pytest.mark.parametrize("cut", [1, 9, 100, 300])
async def test_a_journal_that_is_cut_short_is_read_as_far_as_it_is_whole(
    tmp_path: Path, cut: int
) -> None:
    journal = Journal(tmp_path / "trades", SCHEMAS["trades"], "p-0")
    journal.append(rows(1, 3))
    whole = journal.path.stat().st_size
    journal.append(rows(4, 6))
    data = journal.path.read_bytes()[: whole + cut]
    journal.abandon()
    journal.path.write_bytes(data)
    assert await prices(tmp_path) == [1, 2, 3]
    recover(tmp_path)
    assert await prices(tmp_path) == [1, 2, 3]


@pytest.mark.parametrize("size", [0, 5, 200])
def test_a_journal_that_has_hardly_begun_harms_nobody(tmp_path: Path, size: int) -> None:
    journal = Journal(tmp_path / "trades", SCHEMAS["trades"], "p-0")
    journal.abandon()
    journal.path.write_bytes(journal.path.read_bytes()[:size])
    table = read_journal(journal.path)
    assert table is None or table.num_rows == 0
    assert recover(tmp_path) == [journal.path]
    assert journals(tmp_path) == parquet(tmp_path) == []


async def test_a_recorder_killed_while_it_divides_is_followed_without_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = opened(tmp_path)
    made.append({"trades": [*rows(1, 3), *rows(1, 3, "IBM")]})
    written: list[Path] = []

    def write(table: object, path: Path) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(path)
        real(table, path)

    real = pq.write_table
    monkeypatch.setattr("feed_server.ingest.record_files.pq.write_table", write)
    with pytest.raises(KeyboardInterrupt):
        made.finish()
    monkeypatch.undo()
    made.abandon()
    assert len(parquet(tmp_path)) == len(journals(tmp_path)) // len(SCHEMAS) == 1
    for symbol in ("BAC", "IBM"):
        assert await prices(tmp_path / "trades", symbol) == [1, 2, 3]
    recover(tmp_path)
    for symbol in ("BAC", "IBM"):
        assert await prices(tmp_path / "trades", symbol) == [1, 2, 3]


async def test_recorded_quotes_are_played_where_they_change(tmp_path: Path) -> None:
    made = opened(tmp_path)
    best = [(None, None), (1.0, None), (1.0, None), (1.0, 2.0), (None, 2.0)]
    made.append(
        {
            "quotes": [
                ("BAC", T0 + n, bid, ask, *[1.0] * 6, None, "2013-10-07", T0 + n, "e", n)
                for n, (bid, ask) in enumerate(best)
            ],
            "trades": rows(1, 1),
        }
    )
    made.finish()
    assert await played(tmp_path) == [
        Trade("BAC", T0 + 1, 1, 100),
        TopOfBook("BAC", T0 + 1, 1, None),
        TopOfBook("BAC", T0 + 3, 1, 2),
        TopOfBook("BAC", T0 + 4, None, 2),
    ]


def test_parts_are_named_in_order() -> None:
    names = list(islice(part_names(datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)), 3))
    assert names == sorted(names)
    assert names[0].startswith("20240102T030405Z-")
    assert next(part_names(datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))) != names[0]
