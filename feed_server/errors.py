"""The exceptions of the feed server.

QuotewireError
├── ConfigurationError   a setting or an input file is wrong: said in one line, the process ends
│   └── ReplayFileError  a file given to ``replay`` cannot be used: which row, and what is wrong
├── BusError             Redis cannot be reached or gave an unusable answer: retried
└── FencedError          another ingest carries this provider's data now: this one waits
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
