"""TA-Lib without pandas, which it would load only to take its columns as well.

A gateway has none of them: without pandas it takes half of the memory and starts in half the time.
"""

import sys

_hidden = "pandas" not in sys.modules
if _hidden:
    sys.modules["pandas"] = None  # type: ignore[assignment]  # as Python marks what is not there
try:
    import talib
    from talib import abstract, stream
finally:
    if _hidden:
        del sys.modules["pandas"]

__all__ = ["abstract", "stream", "talib"]
