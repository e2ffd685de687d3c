"""Log lines: one event a line, with its facts as ``key=value``, on standard error."""

import logging
import sys

import structlog


def configure(level: str) -> None:
    """Set up logging for the whole process.

    Args:
        level: Least level that is written, in lower case.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
