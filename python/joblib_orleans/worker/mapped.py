"""A worker's arrays: those of its arguments, seen in their files, and those of its results, put into files."""

import collections
import mmap
import os
import sys
import weakref
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .. import arrays, store
from ..arrays import Place

_MOST_MAPPED = 256


class Mappings:
    """The files that a run's calls see, mapped once per process. One thread at a time."""

    def __init__(self) -> None:
        self._bases: "collections.OrderedDict[Tuple[str, str, str], Any]" = collections.OrderedDict()

    def base(self, path: str, identity: str, mode: str) -> Any:
        """All bytes of a file, as numpy.memmap."""
        if mode == "c":
            # Each call has its own: what one writes, no other sees.
            return _map(path, identity, "c")
        key = (path, identity, mode)
        known = self._bases.get(key)
        if known is None:
            known = self._bases[key] = _map(path, identity, mode)
            if len(self._bases) > _MOST_MAPPED:
                self._bases.popitem(last=False)
        else:
            self._bases.move_to_end(key)
        return known

    def forget(self) -> None:
        self._bases.clear()


def _map(path: str, identity: str, mode: str) -> Any:
    import numpy

    if identity or not store.is_segment(path):
        return numpy.memmap(path, numpy.uint8, mode)
    segment = store.use(path)
    try:
        base = numpy.memmap(path, numpy.uint8, mode)
    except BaseException:
        segment.close()
        raise
    # A call may keep its array beyond its run: the file must not become another array's meanwhile.
    weakref.finalize(base, segment.close).atexit = False
    return base


class Source:
    """The arrays of one batch's payload, for :func:`joblib_orleans.arrays.load`."""

    def __init__(self, places: Sequence[Place], moved: Dict[str, str], mappings: Mappings):
        self._places = [(moved.get(path, path), offset, identity) for path, offset, identity in places]
        self._mappings = mappings

    def check(self) -> None:
        """Raises Missing when files of the client's own are not these here."""
        missing = [index for index, (path, _, identity) in enumerate(self._places) if identity and not _is_here(path, identity)]
        if missing:
            raise arrays.Missing(missing)

    def path(self, index: int) -> str:
        return self._places[index][0]

    def open(self, index: int, offset: int, dtype: Any, shape: tuple, strides: Optional[tuple], order: str, mode: Optional[str]) -> Any:
        import numpy

        path, start, identity = self._places[index]
        start += offset
        base = self._mappings.base(path, identity, mode or "r")
        if strides is not None:
            # Strides may be negative: the lowest byte is the place's own.
            array = arrays.view(base, start, dtype, shape, strides, order)
        else:
            count = int(numpy.prod(shape, dtype=numpy.int64)) * dtype.itemsize
            array = base[start : start + count].view(dtype).reshape(shape, order=order)
        return numpy.array(array, order="K", subok=False) if mode is None else array


def _is_here(path: str, identity: str) -> bool:
    try:
        return arrays.file_identity(path) == identity
    except OSError:
        return False


class Results:
    """The large arrays of one batch's results: files that live until the client has them."""

    def __init__(self, max_bytes: Optional[int], parents: Sequence[str], client: str):
        self._max_bytes = max_bytes
        self._parents = parents
        self._client = client
        self.places: List[Place] = []
        self.segments: List[store.Segment] = []
        self._numbers: Dict[int, Tuple[Any, int]] = {}

    def reduce(self, array: Any) -> Any:
        numpy = sys.modules["numpy"]
        mapped = arrays.backing_memmap(array)
        if mapped is not None and mapped.mode != "c" and not store.is_segment(os.fspath(mapped.filename)) and self._client == arrays.host_identity():
            # The user's own file, which the client sees, too.
            low, high = arrays.byte_bounds(array)
            if high > low:
                path = os.path.abspath(os.fspath(mapped.filename))
                start = mapped.offset + low - mapped.__array_interface__["data"][0]
                self.places.append((path, start, arrays.file_identity(path)))
                order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
                strides = None if array.flags.c_contiguous or array.flags.f_contiguous else array.strides
                first = array.__array_interface__["data"][0] - low
                mode = "r+" if mapped.mode == "w+" else mapped.mode
                return arrays.open_array, (len(self.places) - 1, first, array.dtype, array.shape, strides, order, mode)
        if arrays.is_large(array, self._max_bytes):
            known = self._numbers.get(id(array))
            if known is None:
                elements, order = arrays.bytes_of(array)
                number = self._write(arrays.segment_head(array.dtype, array.shape, order), [elements])
                known = self._numbers[id(array)] = (array, number)
            order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
            return arrays.open_array, (known[1], 0, array.dtype, array.shape, None, order, None)
        if mapped is not None:
            # An argument's, which is read only more often than not. Results are the caller's.
            array = numpy.array(array, order="K", subok=False)
        return NotImplemented if mapped is None and type(array) is numpy.ndarray else arrays.plain(array)

    def put_apart(self, buffers: Sequence[Any]) -> None:
        """A whole payload that is too large for one message."""
        pieces = arrays.wire.pack_parts(buffers)
        self._write(arrays.bytes_head(sum(map(len, pieces))), pieces)

    def _write(self, head: bytes, pieces: Sequence[Any]) -> int:
        segment = store.write(self._parents or store.parents(), head, pieces)
        self.segments.append(segment)
        self.places.append((segment.path, arrays.HEAD_BYTES, ""))
        return len(self.places) - 1

    def discard(self) -> None:
        """Nobody will take them."""
        for segment in self.segments:
            segment.delete()
        self.segments = []

    def close(self) -> None:
        """The silo has them now: it uses the files until the client does. What nobody uses is swept."""
        for segment in self.segments:
            segment.close()
        self.segments = []


def map_apart(path: str, offset: int) -> List[memoryview]:
    """The buffers of a payload that was put apart: views of a private mapping, so that arrays in it may be written to."""
    with open(path, "rb", buffering=0) as file:
        whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    return arrays.wire.unpack(memoryview(whole)[offset:])
