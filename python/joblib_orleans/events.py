"""Shows at the client what calls printed, logged and warned of on workers. See worker/events.py for what events are."""

import logging
import pickle
import sys
import threading
import warnings
from typing import Any, Dict, Iterable, Set

from . import arrays

_noticed: Set[str] = set()
_gate = threading.Lock()


def settings() -> bytes:
    """What workers need of this process to have its calls behave as here: log levels that were set, and which host this is."""
    levels: Dict[str, int] = {"": logging.getLogger().level}
    for name, logger in list(logging.Logger.manager.loggerDict.items()):
        level = getattr(logger, "level", logging.NOTSET)
        if level:
            levels[name] = level
    return pickle.dumps({"levels": levels, "host": arrays.host_identity()}, protocol=4)


def replay(events: Iterable[tuple], seen: Dict[Any, Any]) -> None:
    """Shows events in order. ``seen`` is the run's registry of warnings: those that are shown once are shown once in it. Never raises."""
    for event in events:
        try:
            kind = event[0]
            if kind == "out" or kind == "err":
                stream = sys.stdout if kind == "out" else sys.stderr
                if stream is not None:
                    stream.write(event[1])
                    stream.flush()
            elif kind == "log":
                record = logging.makeLogRecord(event[1])
                logger = logging.getLogger(record.name if record.name != "root" else None)
                if logger.isEnabledFor(record.levelno):
                    logger.handle(record)
            elif kind == "warn":
                _, category, message, filename, line = event
                warnings.warn_explicit(message, category, filename, line, registry=seen)
            elif kind == "notice":
                _notice(event[1])
        except Exception:
            # A filter that makes errors of warnings, or a closed console, is no reason to lose a result.
            logging.getLogger("joblib_orleans").debug("an event of a worker could not be shown", exc_info=True)


def _notice(text: str) -> None:
    with _gate:
        if text in _noticed:
            return
        _noticed.add(text)
    warnings.warn_explicit(text, UserWarning, "joblib_orleans", 1)
