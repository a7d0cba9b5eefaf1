"""How objects become bytes: cloudpickle with protocol 5, its buffers out of band, and large numpy arrays as references to files.

A payload is a container (:mod:`joblib_orleans.wire`). Its buffer 0 is JSON: how the rest is stored, and the places of the arrays that the pickle refers to by number; each
``[path, offset, identity]``, where ``identity`` says which file it must be when it is the user's own, and is empty for a segment of the store. The other buffers are the pickle and its out-of-band
buffers; or they are in the last place's file, when they are too large to be sent in one message.
"""

import io
import json
import mmap
import os
import struct
import sys
import threading
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import cloudpickle
import pickle

from . import store, wire

#: Where the elements of a segment begin: at a page.
HEAD_BYTES = 4096

# Smaller buffers are copied into the pickle: a view would keep the whole payload in memory.
_LEAST_BUFFER = 4096

Place = Tuple[str, int, str]


class Missing(Exception):
    """Files of the client's own that are not here: they have to be copied. ``indices`` are their places in the table."""

    def __init__(self, indices: List[int]):
        super().__init__(indices)
        self.indices = indices


class Extent(NamedTuple):
    """Where an array's elements are: in bytes from the start of its place."""

    offset: int
    strides: Optional[Tuple[int, ...]]
    order: str


def segment_head(dtype: Any, shape: Sequence[int], order: str) -> bytes:
    """The head of a .npy file, filled up to a page."""
    import numpy

    described = numpy.lib.format.dtype_to_descr(dtype)
    text = repr({"descr": described, "fortran_order": order == "F", "shape": tuple(shape)}).encode("latin1")
    head = b"\x93NUMPY\x01\x00" + struct.pack("<H", HEAD_BYTES - 10) + text
    if len(head) >= HEAD_BYTES:
        # Structures with very many fields; whoever reads by reference does not need it.
        return segment_head(numpy.dtype("u1"), [0], "C")
    return head + b" " * (HEAD_BYTES - 1 - len(head)) + b"\n"


def bytes_head(count: int) -> bytes:
    """The head of a segment that holds bytes; needs no numpy."""
    text = repr({"descr": "|u1", "fortran_order": False, "shape": (count,)}).encode("ascii")
    head = b"\x93NUMPY\x01\x00" + struct.pack("<H", HEAD_BYTES - 10) + text
    return head + b" " * (HEAD_BYTES - 1 - len(head)) + b"\n"


def bytes_of(array: Any) -> Tuple[Any, str]:
    """The elements of an array as a flat view of bytes, and their order. Copies what is not contiguous."""
    import numpy

    if array.flags.c_contiguous:
        order = "C"
    elif array.flags.f_contiguous:
        order, array = "F", array.T
    else:
        order, array = "C", numpy.ascontiguousarray(array)
    array = numpy.asarray(array)
    return memoryview(array.reshape(-1).view(numpy.uint8)), order


def is_large(array: Any, max_bytes: Optional[int]) -> bool:
    return max_bytes is not None and array.nbytes > max_bytes and not array.dtype.hasobject


def backing_memmap(array: Any) -> Any:
    """The numpy.memmap over the user's own file that an array is a view of; None when there is none."""
    numpy = sys.modules["numpy"]
    while array is not None:
        base = getattr(array, "base", None)
        if isinstance(base, mmap.mmap):
            return array if isinstance(array, numpy.memmap) and array.filename is not None else None
        array = base
    return None


def byte_bounds(array: Any) -> Tuple[int, int]:
    """Addresses of an array's first byte, and of that behind its last."""
    low = high = array.__array_interface__["data"][0]
    for count, stride in zip(array.shape, array.strides):
        if count == 0:
            return low, low
        if stride < 0:
            low += (count - 1) * stride
        else:
            high += (count - 1) * stride
    return low, high + array.itemsize


def file_identity(path: str) -> str:
    """Says on this host which file a path leads to."""
    status = os.stat(path)
    return f"{_boot()}:{status.st_dev}:{status.st_ino}"


def host_identity() -> str:
    """The file systems that this process sees: who sees the same on the same kernel sees the same files."""
    try:
        return f"{_boot()} {os.readlink('/proc/self/ns/mnt')} {os.readlink('/proc/self/root')}"
    except OSError:
        return ""


_boot_id = ""


def _boot() -> str:
    global _boot_id
    if not _boot_id:
        _boot_id = store._boot_id().strip()
    return _boot_id


class ArrayPickler(cloudpickle.CloudPickler):
    """cloudpickle that asks ``reduce`` about arrays. ``reduce(array)`` returns a reduction, or NotImplemented for the usual one."""

    def __init__(self, file: io.BytesIO, buffers: List[memoryview], reduce: Optional[Callable[[Any], Any]]):
        def take(buffer: pickle.PickleBuffer) -> bool:
            try:
                raw = buffer.raw()
            except BufferError:
                return True
            if raw.nbytes < _LEAST_BUFFER:
                return True
            buffers.append(raw)
            return False

        super().__init__(file, protocol=5, buffer_callback=take)
        self._reduce = reduce

    def reducer_override(self, obj: Any) -> Any:
        numpy = sys.modules.get("numpy")
        if numpy is not None and self._reduce is not None:
            kind = type(obj)
            if kind is getattr(numpy, "ndarray", None) or kind is getattr(numpy, "memmap", None):
                reduced = self._reduce(obj)
                if reduced is not NotImplemented:
                    return reduced
        return super().reducer_override(obj)


def dump(value: Any, reduce: Optional[Callable[[Any], Any]] = None) -> List[Any]:
    """A pickle and its out-of-band buffers."""
    file = io.BytesIO()
    buffers: List[memoryview] = []
    ArrayPickler(file, buffers, reduce).dump(value)
    return [file.getbuffer(), *buffers]


def plain(array: Any) -> Any:
    """The reduction of an array by value, as numpy.ndarray."""
    import numpy

    return numpy.asarray(array).__reduce_ex__(5)


class _Reading(threading.local):
    source: Any = None


_reading = _Reading()


def open_array(index: int, offset: int, dtype: Any, shape: Tuple[int, ...], strides: Optional[Tuple[int, ...]], order: str, mode: Optional[str]) -> Any:
    """Named in pickles: the array at place ``index`` of the payload that this thread is reading."""
    return _reading.source.open(index, offset, dtype, shape, strides, order, mode)


def load(buffers: Sequence[Any], source: Any) -> Any:
    """Reads what :func:`dump` wrote. ``source.open(…)`` makes the arrays; None when there can be none."""
    before = _reading.source
    _reading.source = source
    try:
        return pickle.loads(buffers[0], buffers=buffers[1:])
    finally:
        _reading.source = before


def view(buffer: Any, offset: int, dtype: Any, shape: Tuple[int, ...], strides: Optional[Tuple[int, ...]], order: str) -> Any:
    """An array over memory that holds its elements from ``offset``."""
    import numpy

    if strides is None:
        return numpy.ndarray(shape, dtype, buffer=buffer, offset=offset, order=order)
    return numpy.ndarray(shape, dtype, buffer=buffer, offset=offset, strides=strides)


INLINE, APART = "in", "apart"

# Most payloads refer to no array.
_NO_PLACES = b'["in"]'


def pack_payload(places: Sequence[Place], buffers: Sequence[Any], how: str = INLINE) -> List[Any]:
    """The pieces of a payload."""
    table = json.dumps([how, *places], separators=(",", ":")).encode() if places else _NO_PLACES
    return wire.pack_parts([table, *buffers])


def read_payload(payload: Any) -> Tuple[str, List[Place], List[memoryview]]:
    """How it is stored, the places, and the buffers that are here."""
    table, *buffers = wire.unpack(payload)
    if table == _NO_PLACES:
        return INLINE, [], buffers
    how, *places = json.loads(bytes(table))
    return how, [(str(path), int(offset), str(identity)) for path, offset, identity in places], buffers


def _are_equal(one: memoryview, other: memoryview) -> bool:
    import ctypes

    import numpy

    if len(one) != len(other):
        return False
    first, second = (numpy.frombuffer(view, numpy.uint8).__array_interface__["data"][0] for view in (one, other))
    compare = ctypes.CDLL(None).memcmp
    compare.argtypes = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
    return compare(first, second, len(one)) == 0


def map_file(fd: int, access: int = mmap.ACCESS_WRITE) -> mmap.mmap:
    """All of a file. ACCESS_WRITE is for who has it alone."""
    return mmap.mmap(fd, 0, access=access)


class Entry:
    """An array of a run that goes apart: what it is a copy of, and where it is. Used by the run's sending thread; ``users`` by its lock."""

    def __init__(self, file: Optional[str] = None, start: int = 0, length: int = 0, mode: str = "r"):
        #: While batches on their way refer to it, and it is in no segment.
        self.array: Any = None
        self.file = file
        self.start = start
        self.length = length
        self.mode = mode
        #: The user's own file has to be copied, since a worker does not see it.
        self.copies = False
        self.segment: Optional[store.Segment] = None
        #: The stream to whose gateway it was uploaded, and its file there.
        self.upload: Optional[Tuple[Any, str]] = None
        #: The call of the run in which it was last the same as its array.
        self.call = 0
        #: Batches on their way that refer to it.
        self.users = 0

    @property
    def is_own_file(self) -> bool:
        return self.file is not None and not self.copies

    def pieces(self) -> Tuple[bytes, List[Any]]:
        """Its bytes as a .npy file: head and elements."""
        if self.segment is not None:
            with open(self.segment.path, "rb", buffering=0) as file:
                mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            return bytes(mapped[:HEAD_BYTES]), [mapped[HEAD_BYTES:]]
        if self.file is not None:
            # All bytes between the array's first and its last, as they are in the file: strides count in them.
            with open(self.file, "rb", buffering=0) as file:
                mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            return bytes_head(self.length), [mapped[self.start : self.start + self.length]]
        elements, order = bytes_of(self.array)
        return segment_head(self.array.dtype, self.array.shape, order), [elements]


class ArraySink:
    """The large arrays of a run on their way to its calls: each is put into the store once, as long as it lives. One thread at a time.

    ``max_bytes``: larger ones go apart; None for none. ``mode``: how calls see them: "r", "r+", "c", or None for a copy in memory.
    """

    def __init__(self, max_bytes: Optional[int], mode: Optional[str]):
        self.max_bytes = max_bytes
        self.mode = "r+" if mode == "w+" else mode
        self._entries: Dict[int, Tuple[Any, Entry]] = {}
        self._files: Dict[Tuple[str, int, int], Entry] = {}
        self._table: List[Entry] = []
        self._call = 0
        self._ended: List[Entry] = []
        self._all: Dict[int, Entry] = {}
        self._is_closed = False
        #: Uploads of arrays that nothing can refer to any more.
        self._needless: List[Tuple[Any, str]] = []
        self._lock = threading.Lock()

    def dump(self, value: Any) -> Tuple[List[Any], List[Entry]]:
        """Pickles a value: its buffers, and the arrays that they refer to by number. Those are used until :meth:`done`."""
        self._table = table = []
        try:
            buffers = dump(value, self.reduce)
        except BaseException:
            self.done(table)
            raise
        finally:
            self._table = []
        return buffers, table

    def add(self, entry: Entry) -> None:
        """One that is no array: a payload that goes apart."""
        with self._lock:
            entry.users += 1
            self._all[id(entry)] = entry

    def reduce(self, array: Any) -> Any:
        mapped = backing_memmap(array)
        if mapped is not None and mapped.mode != "c":
            return self._refer(array, mapped)
        if not is_large(array, self.max_bytes):
            return NotImplemented if mapped is None and type(array) is sys.modules["numpy"].ndarray else plain(array)
        entry = self._entry_of(array)
        order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        return open_array, (self._number(entry, array), 0, array.dtype, array.shape, None, order, self.mode)

    def _refer(self, array: Any, mapped: Any) -> Any:
        low, high = byte_bounds(array)
        start = mapped.offset + low - mapped.__array_interface__["data"][0]
        if high == low:
            return plain(array)
        mode = "r+" if mapped.mode == "w+" else mapped.mode
        path = os.path.abspath(os.fspath(mapped.filename))
        key = (path, start, high - low)
        entry = self._files.get(key)
        if entry is None:
            entry = self._files[key] = Entry(path, start, high - low, mode)
            with self._lock:
                self._all[id(entry)] = entry
        strides, order = None, "C"
        if array.flags.f_contiguous and not array.flags.c_contiguous:
            order = "F"
        elif not array.flags.c_contiguous:
            strides = array.strides
        first = array.__array_interface__["data"][0] - low
        return open_array, (self._number(entry), first, array.dtype, array.shape, strides, order, mode)

    def _entry_of(self, array: Any) -> Entry:
        import weakref

        key = id(array)
        known = self._entries.get(key)
        if known is not None and known[0]() is array and self._is_as_written(known[1], array):
            return known[1]
        entry = Entry()
        entry.call = self._call
        with self._lock:
            self._all[id(entry)] = entry
            if known is not None:
                self._ended.append(known[1])

        def gone(_: Any) -> None:
            if self._entries.get(key, (None, None))[1] is entry:
                del self._entries[key]
            # Not here: the collector runs anywhere, also while this thread holds the lock.
            self._ended.append(entry)

        self._entries[key] = (weakref.ref(array, gone), entry)
        return entry

    def start_call(self) -> None:
        """Arrays of earlier calls may have been changed since."""
        self._call += 1

    def _is_as_written(self, entry: Entry, array: Any) -> bool:
        if entry.call == self._call:
            # Within a call it is written once, as in joblib.
            return True
        if entry.segment is None:
            return False
        elements, _ = bytes_of(array)
        with open(entry.segment.path, "rb", buffering=0) as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        written = memoryview(mapped)[HEAD_BYTES:]
        if not _are_equal(elements, written):
            return False
        entry.call = self._call
        return True

    def _number(self, entry: Entry, array: Any = None) -> int:
        for number, known in enumerate(self._table):
            if known is entry:
                return number
        with self._lock:
            entry.users += 1
            if entry.segment is None:
                entry.array = array
        self._table.append(entry)
        return len(self._table) - 1

    def written(self, entry: Entry, segment: store.Segment) -> None:
        """From now on the entry's bytes are in a segment; its array is the caller's alone. Raises ValueError, and deletes the segment, when the run has ended meanwhile."""
        with self._lock:
            if self._is_closed:
                segment.delete()
                store.remove_if_empty(os.path.dirname(segment.path))
                raise ValueError("the run has ended")
            entry.segment = segment
            entry.array = None

    def done(self, entries: Sequence[Entry]) -> None:
        """A batch no longer needs its arrays. What nobody else can refer to is deleted."""
        with self._lock:
            for entry in entries:
                entry.users -= 1
                if entry.users == 0:
                    # Held for a gateway that has to be sent it again; now only its owner's.
                    entry.array = None
            self._tidy()

    def forget(self, entry: Entry) -> None:
        """What no later batch refers to is deleted with its last user."""
        self._ended.append(entry)

    def _tidy(self) -> None:
        ended, self._ended = self._ended, []
        for entry in ended:
            if entry.users > 0:
                self._ended.append(entry)
                continue
            self._all.pop(id(entry), None)
            if entry.upload is not None:
                self._needless.append(entry.upload)
                entry.upload = None
            if entry.segment is not None:
                entry.segment.delete()
                entry.segment = None

    def take_needless(self) -> List[Tuple[Any, str]]:
        """Uploads that can be deleted: stream and file."""
        with self._lock:
            needless, self._needless = self._needless, []
        return needless

    def close(self) -> None:
        """Deletes all segments of the run."""
        with self._lock:
            self._is_closed = True
            everything, self._all = list(self._all.values()), {}
            self._ended = []
            for entry in everything:
                entry.array = None
                if entry.segment is not None:
                    entry.segment.delete()
                    entry.segment = None
        self._entries.clear()
        self._files.clear()
