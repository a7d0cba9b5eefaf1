"""Executes one batch: payload in, status and payload out. The main thread alone."""

import os
import pickle
import socket
import traceback
from typing import Any, Dict, List, Optional, Tuple

from .. import arrays, calls, diagnosis
from ..errors import MissingModuleError, RemoteError, ResultPicklingError
from . import events as happenings
from . import frames
from .frames import Batch, RunArrays
from .mapped import Mappings, Results, Source, map_apart
from .nested import scope
from .prepare import here
from .version import describe, versions

#: Longer payloads of results travel as a file.
MOST_INLINE = 16 << 20
MOST_TEXT = 100_000

RETURNED, RAISED, MISSING = "returned", "raised", "missing"


class Executor:
    """``events``: where what calls print goes meanwhile."""

    def __init__(self, collected: happenings.Events, console: happenings.Console):
        self._events = collected
        self._console = console
        self._log_levels: Dict[str, int] = {}
        self._settings = b""
        self._client = ""
        self._last_run: Optional[int] = None
        self.notices: List[str] = []
        self.mappings = Mappings()

    def flush(self) -> None:
        """What has been printed is on its way."""
        self._console.settle()

    def execute(self, batch: Batch, run: Optional[RunArrays]) -> Tuple[int, List[Any], Results]:
        """The outcome's status, the pieces of its payload, and its arrays."""
        self._events.begin()
        ended: Optional[List[tuple]] = None
        try:
            if batch.run != self._last_run:
                self._last_run = batch.run
                happenings.warn_anew()
            results = Results(run.max_bytes if run else None, run.parents if run else [], "")
            try:
                status, said, results = self._execute(batch, run, results)
            finally:
                self._console.settle()
                ended = self._events.end()
            notices, self.notices = self.notices, []
            ended += [("notice", notice) for notice in notices]
            try:
                return status, self._write(said, ended, results), results
            except BaseException as error:
                # No room for large results.
                results.discard()
                return frames.FAILED, self._write(self._failure(error, batch, None, -1), ended, results), results
        finally:
            if ended is None:
                self._events.end()

    def _execute(self, batch: Batch, run: Optional[RunArrays], results: Results) -> Tuple[int, Any, Results]:
        returned: List[Any] = []
        shaped: Any = None
        try:
            how, places, buffers = arrays.read_payload(batch.payload)
            source = Source(places, batch.moved, self.mappings)
            source.check()
            if how == arrays.APART:
                buffers = map_apart(source.path(len(places) - 1), places[-1][1])
            try:
                nested, settings, shaped = arrays.load(buffers, source)
            except BaseException as error:
                raise _unreadable(error) from error
            self._take_settings(settings)
            results = Results(run.max_bytes if run else None, run.parents if run else [], self._client)
            with scope(nested):
                calls.run(shaped, returned)
        except arrays.Missing as missing:
            return frames.FAILED, (MISSING, missing.indices), results
        except BaseException as error:
            return frames.FAILED, self._failure(error, batch, shaped, len(returned)), results
        try:
            return frames.COMPLETED, (RETURNED, arrays.dump(returned, results.reduce)), results
        except BaseException as error:
            results.discard()
            results = Results(None, [], "")
            return frames.FAILED, self._failure(_unpicklable(error, returned, shaped, batch), batch, None, -1), results

    def _take_settings(self, settings: bytes) -> None:
        if settings != self._settings:
            said = pickle.loads(settings)
            happenings.set_log_levels(said["levels"], self._log_levels)
            self._log_levels = said["levels"]
            self._client = said["host"]
            self._settings = settings

    def _failure(self, error: BaseException, batch: Batch, shaped: Any, index: int) -> tuple:
        call = calls.describe(calls.call_at(shaped, index)) if shaped is not None else ""
        number = batch.first_call + index if shaped is not None else -1
        text = _traceback(error)
        where = f"{socket.gethostname()}/{os.getpid()}"
        error.__traceback__ = None
        return RAISED, _dump_exception(error), text, number, call, where

    @staticmethod
    def _write(said: Any, ended: List[tuple], results: Results) -> List[Any]:
        if said[0] != RETURNED:
            return arrays.pack_payload([], arrays.dump((said, ended)))
        # The events go in a pickle of their own: the results' one is made already, and may be large.
        buffers = [pickle.dumps(ended, protocol=5), *said[1]]
        if sum(map(len, buffers)) > MOST_INLINE:
            results.put_apart(buffers)
            return arrays.pack_payload(results.places, [], arrays.APART)
        return arrays.pack_payload(results.places, buffers)


def _unreadable(error: BaseException) -> BaseException:
    if isinstance(error, ModuleNotFoundError):
        return MissingModuleError(
            f"Module '{error.name}' is not there for {here()}. Install it there, or start the silos with '--python' and an interpreter that has it.", name=error.name, path=error.path
        )
    if isinstance(error, (AttributeError, ImportError)):
        return type(error)(f"{error}. {here()} ({describe(versions())}) has another version of a module than the client, or the module is not the same.".replace(". the", ". The"))
    return error


def _unpicklable(error: BaseException, returned: List[Any], shaped: Any, batch: Batch) -> BaseException:
    def can(value: Any) -> bool:
        arrays.dump(value)
        return True

    for index, value in enumerate(returned):
        found = diagnosis.offender(value, "result", can)
        if found:
            call = calls.describe(calls.call_at(shaped, index))
            return ResultPicklingError(f"What call {batch.first_call + index}, {call}, returned cannot be pickled: {found}: {error}")
    return error


def _traceback(error: BaseException) -> str:
    # Frames of this package say nothing to the user.
    trace = error.__traceback__
    here_folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    while trace is not None and trace.tb_next is not None and trace.tb_frame.f_code.co_filename.startswith(here_folder):
        trace = trace.tb_next
    return _shortened("".join(traceback.format_exception(type(error), error, trace)))


def _dump_exception(error: BaseException) -> bytes:
    """The exception so that the client can read it, whatever its constructor wants; a RemoteError when it cannot travel."""
    try:
        data = pickle_of(error)
        if len(data) > MOST_INLINE:
            # It would be in the memory of three processes, of a silo that others use among them.
            return pickle_of(RemoteError(_shortened(f"{_name(error)}, which takes {len(data):,} bytes, more than the {MOST_INLINE:,} that an exception may: {error}")))
        loaded = pickle.loads(data)
        if type(loaded) is type(error):
            return data
    except BaseException:
        pass
    try:
        state = {name: value for name, value in vars(error).items() if _travels(value)}
        data = pickle_of(("rebuild", type(error), [value if _travels(value) else repr(value) for value in error.args], state))
        _, kind, arguments, state = pickle.loads(data)
        rebuild(kind, arguments, state)
        return data
    except BaseException:
        return pickle_of(RemoteError(_shortened(f"{_name(error)}: {error}")))


def _name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT // 2]} … {len(text) - MOST_TEXT:,} characters … {text[-MOST_TEXT // 2 :]}"


def pickle_of(value: Any) -> bytes:
    import cloudpickle

    return cloudpickle.dumps(value, protocol=5)


def _travels(value: Any) -> bool:
    try:
        pickle.loads(pickle_of(value))
        return True
    except BaseException:
        return False


def rebuild(kind: type, arguments: List[Any], state: dict) -> BaseException:
    """An exception without its constructor."""
    error = kind.__new__(kind, *arguments)
    error.args = tuple(arguments)
    if state:
        vars(error).update(state)
    return error
