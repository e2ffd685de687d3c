"""Which part of a Redis Cluster a symbol's keys live in.

A cluster spreads keys over 16384 slots by the CRC16 of the text in braces, their *hash tag*. All
keys of a symbol have one tag, so that one script may touch them, and there are as many tags as
partitions, not symbols: a node's share of the market is known beforehand, and work can be done by
partition.
"""

import zlib

_TAGS = (
    "bl bh bd cz cg by bu bq ae aa am ai 3 7 f5 ax c2 c6 ds dw b9 dn b1 b5 f b n j w s a8 fu "
    "bm bi be ba cf bx bt bp ad g3 al ah 2 6 f4 ay c3 c7 dr dv b8 do b0 b4 g c o k v r a9 z "
    "bn bj bf bb ce ca bw bs ag ac ao ak 1 5 9 az c0 c4 c8 du dh dl b3 b7 d fn l h u q fs y "
    "bo bk bg bc cd bz bv br af ab an aj 0 4 8 f2 c1 c5 c9 dt di dm b2 b6 e a m i t p fr x"
)

TAGS = tuple(_TAGS.split())
"""The hash tag of each partition: the n-th lies in the n-th of 128 equal bands of the slots.

So the partitions are spread evenly over the nodes, however many share the slots. Never change it:
what is kept would be found no more.
"""


def partition(symbol: str) -> int:
    """Return the number of a symbol's partition."""
    return zlib.crc32(symbol.encode()) % len(TAGS)


def tag(symbol: str) -> str:
    """Return the hash tag of a symbol's keys."""
    return TAGS[partition(symbol)]
