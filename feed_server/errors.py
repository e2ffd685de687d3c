"""The exceptions of the feed server.

QuotewireError
├── ConfigurationError   a setting or an input file is wrong: said in one line, the process ends
│   └── ReplayFileError  a file given to ``replay`` cannot be used: which row, and what is wrong
├── BusError             Redis cannot be reached or gave an unusable answer: retried
├── FencedError          another ingest carries this provider's data now: this one waits
└── ProviderError        a source could not give what it was asked for
    ├── UnknownSymbolError   it does not know the symbol: asking again does not help
    ├── NotOfferedError      it never gives this (a paid plan, an interval, a function)
    ├── RateLimitedError     its limit is reached: says when to ask again, where the vendor did
    ├── UnauthorizedError    its key is missing or refused: a person must mend it
    ├── UnavailableError     it cannot be reached, is slow, silent, or has an error of its own
    └── MalformedError       it answered what cannot be understood
"""


class QuotewireError(Exception):
    """Root of all; its text says what was wrong, where, and what to do."""


class ConfigurationError(QuotewireError):
    """A setting or an input is wrong; nothing starts until a person mends it."""


class ReplayFileError(ConfigurationError):
    """A file given to ``replay`` cannot be used."""


class BusError(QuotewireError):
    """Redis cannot be reached, or answered what cannot be used."""


class FencedError(QuotewireError):
    """Another ingest carries a provider's data: what this one sends is refused."""


class ProviderError(QuotewireError):
    """A source could not give what it was asked for; no key is in its text."""


class UnknownSymbolError(ProviderError):
    """The source does not know the symbol; asking again does not help."""


class NotOfferedError(ProviderError):
    """The source never gives this, or not to this key."""


class RateLimitedError(ProviderError):
    """The vendor's limit is reached.

    Args:
        message: What the vendor said.
        retry_after_s: When to ask again, `None` where the vendor did not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnauthorizedError(ProviderError):
    """The source's key is missing or refused."""


class UnavailableError(ProviderError):
    """The source cannot be reached, is too slow, silent, or has an error of its own."""


class MalformedError(ProviderError):
    """The source answered what cannot be understood."""
