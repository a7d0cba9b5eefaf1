"""Reads the outcomes of batches at the client: results, exceptions, and large arrays from files or from the gateway."""

import mmap
import os
import pickle
from concurrent.futures.process import _RemoteTraceback
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from . import arrays, store
from .arrays import Place
from .errors import ClusterError, RemoteError

#: Fetches an array of an outcome, by what its payload calls it: all bytes of a .npy file, to be written to.
Fetch = Callable[[str], Any]


class Source:
    """The arrays of one outcome. Those in files of this host are mapped, and the files' names taken away: from then on they are memory of this process."""

    def __init__(self, places: Sequence[Place], files: Dict[str, str], folders: Sequence[str], fetch: Fetch):
        self._places = places
        self._files = files
        self._folders = set(folders)
        self._fetch = fetch
        self._buffers: Dict[int, Any] = {}

    def buffer(self, index: int) -> Any:
        known = self._buffers.get(index)
        if known is None:
            path, _, identity = self._places[index]
            known = self._buffers[index] = self._own(path, identity) if identity else self._take(path)
        return known

    @staticmethod
    def _own(path: str, identity: str) -> None:
        if arrays.file_identity(path) != identity:
            raise ClusterError(f"A call returned a view of the file '{path}', which is another one here. Return a copy of it (numpy.array).", "array-missing")

    def _take(self, path: str) -> Any:
        file = self._files.get(path)
        if file is None:
            raise ClusterError(f"A result refers to the array '{path}', which its outcome does not name.", "bad-payload")
        if os.path.dirname(file) not in self._folders:
            return self._fetch(path)
        segment = store.use(file)
        try:
            return arrays.map_file(segment.fd)
        finally:
            segment.delete()

    def take_rest(self) -> None:
        """Deletes the files that nothing referred to."""
        for path, file in self._files.items():
            if os.path.dirname(file) in self._folders:
                try:
                    os.unlink(file)
                except OSError:
                    pass

    def open(self, index: int, offset: int, dtype: Any, shape: tuple, strides: Optional[tuple], order: str, mode: Optional[str]) -> Any:
        import numpy

        path, start, identity = self._places[index]
        buffer = self.buffer(index)
        if not identity:
            return arrays.view(buffer, start + offset, dtype, shape, strides, order)
        base = numpy.memmap(path, numpy.uint8, mode or "r")
        if strides is not None:
            return arrays.view(base, start + offset, dtype, shape, strides, order)
        count = int(numpy.prod(shape, dtype=numpy.int64)) * dtype.itemsize
        return base[start + offset : start + offset + count].view(dtype).reshape(shape, order=order)


def read_returned(payload: bytes, files: Dict[str, str], folders: Sequence[str], fetch: Fetch) -> Tuple[List[Any], List[tuple]]:
    """The results of a batch, and its events."""
    how, places, buffers = arrays.read_payload(payload)
    source = Source(places, files, folders, fetch)
    try:
        if how == arrays.APART:
            index = len(places) - 1
            buffers = arrays.wire.unpack(memoryview(source.buffer(index))[places[index][1] :])
        elif len(buffers) > 2:
            # Arrays are views of it, and to be written to.
            _, _, buffers = arrays.read_payload(bytearray(payload))
        events = pickle.loads(buffers[0])
        return arrays.load(buffers[1:], source), events
    finally:
        source.take_rest()


class Failed:
    """What became of a batch that did not return. ``missing``: the places of arrays that have to be copied, when that is all."""

    def __init__(self, payload: bytes):
        _, _, buffers = arrays.read_payload(payload)
        said, self.events = arrays.load(buffers, None)
        self.missing: List[int] = []
        self.error: Optional[BaseException] = None
        if said[0] == "missing":
            self.missing = said[1]
            return
        _, pickled, text, index, call, worker = said
        self.text = text
        self.error = _exception(pickled, text, index, call, worker)
        self.index, self.call, self.worker = index, call, worker


def _exception(pickled: bytes, text: str, index: int, call: str, worker: str) -> BaseException:
    try:
        error = pickle.loads(pickled)
        if isinstance(error, tuple):
            from .worker.execute import rebuild

            error = rebuild(*error[1:])
        if not isinstance(error, BaseException):
            raise TypeError(f"{type(error).__name__} is no exception")
    except BaseException as unreadable:
        last = text.strip().rsplit("\n", 1)[-1]
        error = RemoteError(f"{last} (the exception itself cannot be read here: {type(unreadable).__name__}: {unreadable})")
    where = f"call {index}, {call}, " if call else ""
    error.__cause__ = _RemoteTraceback(f'\n"""\n{text}"""\n{where}on worker {worker}')
    try:
        error.joblib_call_index = index  # type: ignore[attr-defined]
        error.joblib_call = call  # type: ignore[attr-defined]
    except AttributeError:
        pass
    return error


def receive(parts: Any) -> Any:
    """An array that comes in parts, as memory to be written to."""
    whole: Any = None
    at = 0
    for part in parts:
        if whole is None:
            whole = mmap.mmap(-1, max(part.length, 1))
        whole[at : at + len(part.data)] = part.data
        at += len(part.data)
    if whole is None or at != len(whole):
        raise ClusterError(f"An array came in part: {at} bytes of {len(whole) if whole else 0}.", "bad-payload")
    return whole
