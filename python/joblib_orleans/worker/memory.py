"""Says when the worker has grown past its limit since its first batch, as loky does: looked at once a second at most, and once more after a collection."""

import gc
import os
import time
from typing import Optional

_PERIOD = 1.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


def own_bytes() -> int:
    """What the process occupies but for mapped files: an array of 1 GiB that all workers read is no growth of any of them."""
    with open("/proc/self/statm", encoding="ascii") as file:
        _, resident, shared, *_ = file.read().split()
    return (int(resident) - int(shared)) * _PAGE


class Memory:
    """One thread at a time. ``most_growth``: bytes."""

    def __init__(self, most_growth: int):
        self._most_growth = most_growth
        self._looked_at = 0.0
        self.first_bytes = 0

    def grown_too_much(self) -> Optional[int]:
        """The bytes that the process occupies when they are too many; else None."""
        now = time.monotonic()
        if not self.first_bytes:
            self.first_bytes = own_bytes()
            self._looked_at = now
            return None
        if now - self._looked_at < _PERIOD:
            return None
        self._looked_at = now
        if own_bytes() - self.first_bytes <= self._most_growth:
            return None
        gc.collect()
        now_bytes = own_bytes()
        return now_bytes if now_bytes - self.first_bytes > self._most_growth else None
