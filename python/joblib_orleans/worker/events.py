"""What calls print, log and warn of, in order, on its way to the client with their batch's outcome.

An event is a tuple: ``("out" | "err", text)``, ``("log", attributes)`` or ``("warn", category, message, file, line)``, ``("notice", text)``.
"""

import io
import logging
import os
import pickle
import select
import sys
import threading
import time
import warnings
from typing import Any, Callable, List, Optional

#: Bytes of text that one batch may bring back.
MOST_TEXT = 16 << 20

_LOG_FIELDS = ("name", "levelno", "levelname", "pathname", "filename", "module", "lineno", "funcName", "created", "msecs", "processName", "threadName", "process", "thread")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Events:
    """Collects the events of the batch that is executed; between batches text goes to ``say(is_error, text)``. Thread-safe."""

    def __init__(self, say: Callable[[bool, str], None]):
        self._say = say
        self._lock = threading.RLock()
        self._events: Optional[List[tuple]] = None
        self._text = 0

    def begin(self) -> None:
        with self._lock:
            self._events = []
            self._text = 0

    def end(self) -> List[tuple]:
        with self._lock:
            events, self._events = self._events, None
            return [(event[0], "".join(event[1])) if event[0] in ("out", "err") else event for event in events or []]

    def add(self, event: tuple) -> None:
        with self._lock:
            if self._events is not None:
                self._events.append(event)

    def text(self, is_error: bool, text: str) -> None:
        kind = "err" if is_error else "out"
        with self._lock:
            if self._events is not None:
                if self._text > MOST_TEXT:
                    return
                if self._events and self._events[-1][0] == kind:
                    self._events[-1][1].append(text)
                else:
                    self._events.append((kind, [text]))
                self._text += len(text)
                if self._text > MOST_TEXT:
                    self._events.append(("err", [f"joblib-orleans: a batch printed more than {MOST_TEXT >> 20} MiB; the rest is lost\n"]))
                return
        # Without the lock: a finalizer that prints while its thread sends must not wait for a thread that waits to send.
        self._say(is_error, text)


class _Raw(io.RawIOBase):
    """The bytes of one of the two streams: text by whole lines."""

    def __init__(self, events: Events, is_error: bool):
        self._events = events
        self._is_error = is_error
        self._line = b""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2 if self._is_error else 1

    def write(self, data: Any) -> int:
        data = bytes(data)
        lines, newline, rest = (self._line + data).rpartition(b"\n")
        if newline:
            self._events.text(self._is_error, (lines + newline).decode("utf-8", "replace"))
        self._line = rest
        return len(data)

    def finish(self) -> None:
        if self._line:
            self._events.text(self._is_error, self._line.decode("utf-8", "replace"))
            self._line = b""


class Console:
    """Standard output and error of Python code, and descriptor 1 for all other code of this process and its children."""

    def __init__(self, events: Events, written: int):
        self._events = events
        self._raws = [_Raw(events, False), _Raw(events, True)]
        self._native = _Raw(events, False)
        self._written = written
        self._reading = threading.Lock()
        os.set_blocking(written, False)
        sys.stdout, sys.stderr = (
            io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", line_buffering=True) for raw in self._raws
        )
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        # A child of a call has nobody who would collect what it says: descriptor 1 leads to its parent.
        sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
        sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
        # A thread that is not in the child may have held it: the child logs and warns, too.
        self._events._lock = threading.RLock()

    def pass_on(self) -> None:
        """Reads what native code writes to descriptor 1; a thread's whole life."""
        while self._take():
            select.select([self._written], [], [])

    def settle(self) -> None:
        """At the end of a batch: what it wrote is among its events."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                pass
        self._take()
        with self._reading:
            for raw in (*self._raws, self._native):
                raw.finish()

    def _take(self) -> bool:
        """What is in the pipe, whichever thread asks: whoever finds nothing in it can rely on the other having passed it on. False at the pipe's end."""
        until = time.monotonic() + 0.1
        with self._reading:
            while time.monotonic() < until:
                try:
                    data = os.read(self._written, 1 << 16)
                except BlockingIOError:
                    break
                if not data:
                    return False
                self._native.write(data)
        return True


class RecordHandler(logging.Handler):
    """Takes log records to the client, formatted: their arguments may be anything."""

    def __init__(self, events: Events):
        super().__init__()
        self._events = events

    def emit(self, record: logging.LogRecord) -> None:
        try:
            attributes = {name: getattr(record, name, None) for name in _LOG_FIELDS}
            attributes["msg"] = record.getMessage()
            if record.exc_info and record.exc_info[0] is not None:
                attributes["exc_text"] = record.exc_text or logging.Formatter().formatException(record.exc_info)
            elif record.exc_text:
                attributes["exc_text"] = record.exc_text
            if record.stack_info:
                attributes["stack_info"] = record.stack_info
            for name, value in vars(record).items():
                if name not in _STANDARD and isinstance(value, (str, int, float, bool, type(None))):
                    attributes[name] = value
            self._events.add(("log", attributes))
        except Exception:
            self.handleError(record)


def take_warnings(events: Events) -> None:
    """Sends warnings to the client instead of printing them."""

    def show(message: Any, category: type, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
        if file is not None:
            file.write(warnings.formatwarning(message, category, filename, lineno, line))
            return
        try:
            pickle.dumps(category)
        except Exception:
            category = next((base for base in category.__mro__ if base.__module__ == "builtins" and issubclass(base, Warning)), UserWarning)
        events.add(("warn", category, str(message), filename, lineno))

    warnings.showwarning = show


def take_log_records(events: Events) -> None:
    """Sends log records to the client."""
    logging.getLogger().addHandler(RecordHandler(events))


def set_log_levels(levels: dict, before: dict) -> None:
    """Makes the levels of loggers the client's; ``before`` are those that were set last."""
    for name in before:
        if name not in levels:
            logging.getLogger(name or None).setLevel(logging.NOTSET if name else logging.WARNING)
    for name, level in levels.items():
        if before.get(name) != level:
            logging.getLogger(name or None).setLevel(level)


def warn_anew() -> None:
    """Warnings that were shown once are shown once more: to another run's client."""
    filters = warnings.filters[:]
    warnings.simplefilter("default")
    warnings.filters[:] = filters
