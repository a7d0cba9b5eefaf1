"""Frames between a silo and its worker: i32 length of the body, u8 kind, body. src/Execution/Processes/BatchFrames.cs is the other side. Numbers are little-endian."""

import collections
import os
import struct
import threading
from typing import Any, Deque, Dict, List, NamedTuple, Optional, Sequence, Tuple

HELLO, SETUP, CODE, BATCH, INITIALIZE, RECALL, END_RUN, SHUTDOWN = range(1, 9)
OUTCOME, OUTPUT, LOG, SPAN, RUN, TAKEN, RECLAIM, RUN_ENDED = range(9, 17)

COMPLETED, FAILED, FAULT, NOT_EXECUTED = range(4)

STAYS, LEAVES_FOR_MEMORY = 0, 1

#: The initializer's handle in its outcome, and the one of an outcome that says something of the worker alone.
INITIALIZER, NO_BATCH = 0, -1

#: The version of this protocol.
PROTOCOL = 1

MARK = b"joblib-python"

_HEAD = struct.Struct("<iB")
_BATCH = struct.Struct("<qqqqiqiB")
_OUTCOME_TIMES = struct.Struct("<qqq")
_MOST_BODY = (1 << 31) - 1
# Linux takes 1024 pieces in one call.
_MOST_PIECES = 512


class FrameError(ValueError):
    """What came is no frame, or one of another version."""


class Reader:
    """Reads the fields of a body, in order."""

    def __init__(self, body: Any):
        self._body = memoryview(body)
        self._at = 0

    def unpack(self, layout: struct.Struct) -> tuple:
        try:
            values = layout.unpack_from(self._body, self._at)
        except struct.error as error:
            raise FrameError("a frame of the silo ends before its fields do") from error
        self._at += layout.size
        return values

    def varuint(self) -> int:
        value = shift = 0
        while True:
            if self._at >= len(self._body) or shift > 63:
                raise FrameError("a frame of the silo holds a number that does not end")
            byte = self._body[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def take(self, count: int) -> memoryview:
        if count > len(self._body) - self._at:
            raise FrameError("a frame of the silo ends before its fields do")
        self._at += count
        return self._body[self._at - count : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def string(self) -> str:
        said = self.varuint()
        return str(self.take(said >> 1), "utf-16-le" if said & 1 else "utf-8", "replace")

    def optional_string(self) -> Optional[str]:
        return self.string() if self.byte() else None

    def rest(self) -> memoryview:
        return self.take(len(self._body) - self._at)


def varuint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def string(text: str) -> bytes:
    data = text.encode("utf-8", "backslashreplace")
    return varuint(len(data) << 1) + data


def blob(data: bytes) -> bytes:
    return varuint(len(data)) + data


class Batch(NamedTuple):
    """A batch to execute. ``moved`` says where files of another host are on this one."""

    run: int
    handle: int
    number: int
    first_call: int
    calls: int
    nesting: int
    moved: Dict[str, str]
    payload: memoryview


def read_batch(body: Any) -> Batch:
    reader = Reader(body)
    run, handle, number, first, calls, _timeout, nesting, _level = reader.unpack(_BATCH)
    reader.optional_string()
    moved = {}
    for _ in range(reader.varuint()):
        there = reader.string()
        moved[there] = reader.string()
    return Batch(run, handle, number, first, calls, nesting, moved, reader.rest())


class RunArrays(NamedTuple):
    """What a run says of large arrays: results above ``max_bytes`` (None: none) go into files below ``parents``."""

    run: int
    max_bytes: Optional[int]
    parents: List[str]


def read_run(body: Any) -> RunArrays:
    reader = Reader(body)
    run, max_bytes = reader.unpack(struct.Struct("<qq"))
    reader.take(2)
    reader.unpack(struct.Struct("<q"))
    parents = [reader.string() for _ in range(reader.varuint())]
    return RunArrays(run, None if max_bytes < 0 else max_bytes, parents)


def read_handle(body: Any) -> int:
    return Reader(body).unpack(struct.Struct("<q"))[0]


def read_setup(body: Any) -> int:
    """How many bytes the process may grow."""
    return Reader(body).unpack(struct.Struct("<q"))[0]


def hello(leads_group: bool, versions: str) -> bytes:
    return blob(MARK) + bytes([leads_group]) + struct.pack("<i", PROTOCOL) + string(versions)


def outcome(handle: int, status: int, files: Sequence[str] = (), seconds: float = 0, leaving: int = STAYS, resident: int = 0, first_resident: int = 0) -> bytes:
    """An outcome but for its payload."""
    out = [struct.pack("<qBB", handle, status, leaving), varuint(len(files)), *map(string, files)]
    out.append(_OUTCOME_TIMES.pack(int(seconds * 10_000_000), resident, first_resident))
    return b"".join(out)


def output(is_error: bool, lines: str) -> bytes:
    return bytes([is_error]) + string(lines)


class Input:
    """Frames from a descriptor. One thread."""

    def __init__(self, fd: int):
        self._file = open(fd, "rb", buffering=1 << 16)

    def read(self) -> Optional[Tuple[int, bytearray]]:
        """The next frame's kind and body; None when the other side has closed, in the middle of a frame too."""
        head = self._file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        length, kind = _HEAD.unpack(head)
        if length < 0 or not HELLO <= kind <= RUN_ENDED:
            raise FrameError("what came from the silo is no frame")
        body = bytearray(length)
        view = memoryview(body)
        while len(view):
            count = self._file.readinto(view)
            if not count:
                return None
            view = view[count:]
        return kind, body


class Output:
    """Frames to a descriptor. Thread-safe. Raises OSError when the other side is gone."""

    def __init__(self, fd: int):
        self._fd = fd
        self._lock = threading.Lock()
        self._frames: Deque[List[Any]] = collections.deque()

    def send(self, kind: int, body: bytes, pieces: Sequence[Any] = ()) -> None:
        """Returns when the frame is written: its pieces may change then."""
        self._frames.append(_frame(kind, body, pieces))
        with self._lock:
            self._write_all()
        self._write_posted()

    def post(self, kind: int, body: bytes) -> None:
        """Waits for no other frame: what finalizers and signal handlers print may come in the middle of one of this very thread. It goes out behind that."""
        self._frames.append(_frame(kind, body, ()))
        self._write_posted()

    def _write_posted(self) -> None:
        # Whoever has the lock looks once more when it has let go of it.
        while self._frames and self._lock.acquire(blocking=False):
            try:
                self._write_all()
            finally:
                self._lock.release()

    def _write_all(self) -> None:
        while self._frames:
            self._write(self._frames.popleft())

    def _write(self, rest: List[Any]) -> None:
        while rest:
            count = os.writev(self._fd, rest[:_MOST_PIECES])
            while rest and count >= len(rest[0]):
                count -= len(rest[0])
                rest.pop(0)
            if count:
                rest[0] = memoryview(rest[0])[count:]


def _frame(kind: int, body: bytes, pieces: Sequence[Any]) -> List[Any]:
    length = len(body) + sum(len(piece) for piece in pieces)
    if length > _MOST_BODY:
        raise FrameError(f"a frame of {length} bytes is longer than 2 GiB")
    return [_HEAD.pack(length, kind) + body, *pieces]
