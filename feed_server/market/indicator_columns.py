"""Columns of numbers that grow at the end and are cut at the beginning."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]

FIRST_CAPACITY = 64


class Columns:
    """Some columns of equal length.

    Args:
        count: How many columns.
    """

    def __init__(self, count: int) -> None:
        self._table: Table = np.empty((count, FIRST_CAPACITY))
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def table(self) -> Table:
        """All columns, one a row; it is valid until something is added or dropped."""
        return self._table[:, : self._length]

    def fill(self, table: Table) -> None:
        """Replace everything."""
        self._table = np.ascontiguousarray(table, dtype=np.float64)
        self._length = table.shape[1]

    def append(self, row: Sequence[float]) -> None:
        """Add one number to each column."""
        if self._length == self._table.shape[1]:
            room: Table = np.empty((len(self._table), max(FIRST_CAPACITY, self._length // 2)))
            self._table = np.concatenate([self._table, room], axis=1)
        self._table[:, self._length] = row
        self._length += 1

    def drop(self, count: int) -> None:
        """Forget the first numbers of each column."""
        self.fill(self.table[:, count:].copy())
