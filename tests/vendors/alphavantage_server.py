"""A real HTTP server that speaks as Alpha Vantage does, with its wording of refusals."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tests.vendors.http_faults import Answer, Asked, FaultServer

BAD_KEY = (
    "the parameter apikey is invalid or missing. Please claim your free API key on "
    "(https://www.alphavantage.co/support/#api-key). It should take less than 20 seconds."
)
DEMO_KEY = (
    "The **demo** API key is for demo purposes only. Please claim your free API key at "
    "(https://www.alphavantage.co/support/#api-key) to explore our full API offerings. It takes "
    "fewer than 20 seconds."
)
BAD_CALL = (
    "Invalid API call. Please retry or visit the documentation "
    "(https://www.alphavantage.co/documentation/) for {function}."
)
PER_SECOND = (
    "Thank you for using Alpha Vantage! Please consider spreading out your free API requests more "
    "sparingly (1 request per second). You may subscribe to any of the premium plans at "
    "https://www.alphavantage.co/premium/ to lift the free key rate limit (25 requests per day), "
    "raise the per-second burst limit, and instantly unlock all premium endpoints"
)
BURST = (
    "Burst pattern detected. Please consider spreading out your API requests more evenly across a "
    "1-minute window and query no more than 30 requests per second."
)
PER_MINUTE = (
    "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute and "
    "500 calls per day. Please visit https://www.alphavantage.co/premium/ if you would like to "
    "target a higher API call frequency."
)
PER_MINUTE_PREMIUM = (
    "Minute-level rate limit exceed. Please stay under the number of API requests per minute for "
    "your premium subscription plan."
)
PER_DAY = (
    "We have detected your API key as {key} and our standard API rate limit is 25 requests per "
    "day. Please subscribe to any of the premium plans at https://www.alphavantage.co/premium/ to "
    "instantly remove all daily rate limits."
)
PREMIUM = (
    "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of "
    "the premium plans at https://www.alphavantage.co/premium/ to instantly unlock all premium "
    "endpoints"
)
PREMIUM_FULL = (
    "Thank you for using Alpha Vantage! The outputsize=full parameter value is a premium feature "
    "for the TIME_SERIES_DAILY endpoint. You may subscribe to any of the premium plans at "
    "https://www.alphavantage.co/premium/ to instantly unlock all premium features"
)

Row = tuple[str, float, float, float, float, float]
"""Local time or date, then open, high, low, close, volume."""


class AlphaVantageServer(FaultServer):
    """What it has is set before it is asked.

    Attributes:
        key: The key that it takes.
        premium: Whether that key may have intraday bars, and all daily ones.
        refuse: Answered to all requests, where it is not empty.
        faulty: Answered to all requests instead, where it is not `None`.
    """

    def __init__(self, key: str = "AV-KEY/1+2", *, premium: bool = False) -> None:
        super().__init__()
        self.key = key
        self.premium = premium
        self.refuse: Mapping[str, object] = {}
        self.faulty: Answer | None = None
        self._quotes: dict[str, Mapping[str, object]] = {}
        self._bars: dict[tuple[str, str], Sequence[Row]] = {}
        self._matches: Sequence[Mapping[str, str]] = ()
        self.answers["/query"] = self._answer

    @property
    def asked(self) -> list[dict[str, str]]:
        """What was asked, in order, without the key."""
        return [
            {name: value for name, value in request.query.items() if name != "apikey"}
            for request in self.requests
        ]

    def set_quote(
        self, symbol: str, price: object = "112.1300", day: object = "2018-10-05", **fields: object
    ) -> None:
        """Tell a quote; the names of fields are without numbers, spaces as underlines."""
        said = {
            "01. symbol": symbol,
            "02. open": "112.6300",
            "03. high": "113.1700",
            "04. low": "110.6400",
            "05. price": price,
            "06. volume": "29062853",
            "07. latest trading day": day,
            "08. previous close": "112.7900",
            "09. change": "-0.6600",
            "10. change percent": "-0.5852%",
        }
        named = {name.partition(". ")[2].replace(" ", "_"): name for name in said}
        self._quotes[symbol] = {**said, **{named[field]: fields[field] for field in fields}}

    def set_bars(self, symbol: str, interval: str, rows: Sequence[Row]) -> None:
        """Have bars, oldest first; the interval is ``1min`` to ``60min``, or ``Daily``."""
        self._bars[symbol, interval] = rows

    def set_matches(self, *matches: tuple[str, str, str]) -> None:
        """Find these: symbol, name, currency."""
        self._matches = [
            {
                "1. symbol": symbol,
                "2. name": name,
                "3. type": "Equity",
                "4. region": "United States",
                "5. marketOpen": "09:30",
                "6. marketClose": "16:00",
                "7. timezone": "UTC-04",
                "8. currency": currency,
                "9. matchScore": f"{1 / (number + 1):.4f}",
            }
            for number, (symbol, name, currency) in enumerate(matches)
        ]

    def _answer(self, asked: Asked) -> Answer:
        if self.faulty is not None:
            return self.faulty
        said = self.refuse
        if not said and asked.query.get("apikey") != self.key:
            said = {"Error Message": BAD_KEY}
        body = said or self._says(asked.query)
        return Answer(headers={"Content-Type": "application/json"}, body=body)

    def _says(self, query: Mapping[str, str]) -> Mapping[str, object]:
        function = query.get("function", "")
        if function == "GLOBAL_QUOTE":
            return {"Global Quote": self._quotes.get(query["symbol"], {})}
        if function == "SYMBOL_SEARCH":
            return {"bestMatches": self._matches}
        if function == "TIME_SERIES_DAILY":
            return self._daily(query)
        if function == "TIME_SERIES_INTRADAY" and not self.premium:
            return {"Information": PREMIUM}
        if function == "TIME_SERIES_INTRADAY":
            return self._intraday(query)
        return {"Error Message": BAD_CALL.format(function=function)}

    def _daily(self, query: Mapping[str, str]) -> Mapping[str, object]:
        full = query.get("outputsize") == "full"
        rows = self._bars.get((query["symbol"], "Daily"))
        if full and not self.premium:
            return {"Information": PREMIUM_FULL}
        if rows is None:
            return {"Error Message": BAD_CALL.format(function="TIME_SERIES_DAILY")}
        return {
            "Meta Data": {
                "1. Information": "Daily Prices (open, high, low, close) and Volumes",
                "2. Symbol": query["symbol"],
                "3. Last Refreshed": rows[-1][0],
                "4. Output Size": "Full size" if full else "Compact",
                "5. Time Zone": "US/Eastern",
            },
            "Time Series (Daily)": _series(rows if full else rows[-100:]),
        }

    def _intraday(self, query: Mapping[str, str]) -> Mapping[str, object]:
        interval, month = query["interval"], query.get("month")
        rows = self._bars.get((query["symbol"], interval), ())
        if month is not None:
            rows = [row for row in rows if row[0].startswith(month)]
        elif rows:
            newest = datetime.fromisoformat(rows[-1][0])
            rows = [row for row in rows if (newest - datetime.fromisoformat(row[0])).days < 30]
        if not rows:
            return {"Error Message": BAD_CALL.format(function="TIME_SERIES_INTRADAY")}
        compact = query.get("outputsize") != "full"
        return {
            "Meta Data": {
                "1. Information": f"Intraday ({interval}) open, high, low, close prices and volume",
                "2. Symbol": query["symbol"],
                "3. Last Refreshed": rows[-1][0],
                "4. Interval": interval,
                "5. Output Size": "Compact" if compact else "Full size",
                "6. Time Zone": "US/Eastern",
            },
            f"Time Series ({interval})": _series(rows[-100:] if compact else rows),
        }


def _series(rows: Sequence[Row]) -> dict[str, dict[str, str]]:
    return {
        time: {
            "1. open": f"{open_:.4f}",
            "2. high": f"{high:.4f}",
            "3. low": f"{low:.4f}",
            "4. close": f"{close:.4f}",
            "5. volume": f"{volume:.0f}",
        }
        for time, open_, high, low, close, volume in reversed(rows)
    }
