"""Loops of joblib inside of calls. joblib itself is imported when a call does so: it takes a third of a second, and many calls need none of it."""

import contextlib
import importlib.abc
import importlib.machinery
import sys
from typing import Any, Iterator, Optional

#: How a batch says which backend its calls' loops get: one of joblib's by name, level of nesting and number of jobs; or any, as an object.
NAMED, OBJECT = "named", "object"

_current: Any = None
_context: Any = None


def describe(backend: Any, n_jobs: Optional[int]) -> tuple:
    """At the client: what a batch says."""
    kind = type(backend)
    if kind.__module__ == "joblib._parallel_backends" and kind.__name__ in ("ThreadingBackend", "SequentialBackend") and getattr(backend, "inner_max_num_threads", None) is None:
        return NAMED, kind.__name__, backend.nesting_level, n_jobs
    return OBJECT, backend, n_jobs


@contextlib.contextmanager
def scope(said: Optional[tuple]) -> Iterator[None]:
    """While a batch is executed, loops of its thread get the backend that it says, unless they name another. As joblib's BatchedCalls."""
    global _current, _context
    _current = said
    try:
        if "joblib.parallel" in sys.modules:
            _enter()
        yield
    finally:
        _current = None
        context, _context = _context, None
        if context is not None:
            context.__exit__(None, None, None)


def _enter() -> None:
    global _context
    if _current is None or _context is not None:
        return
    import joblib.parallel

    if _current[0] == NAMED:
        _, name, level, n_jobs = _current
        backend = getattr(joblib._parallel_backends, name)(nesting_level=level)
    else:
        _, backend, n_jobs = _current
    configure = getattr(joblib.parallel, "parallel_config", None) or joblib.parallel.parallel_backend
    context = configure(backend=backend, n_jobs=n_jobs)
    context.__enter__()
    _context = context


def _imported() -> None:
    from joblib.parallel import register_parallel_backend

    register_parallel_backend("orleans", _backend)
    # Within a call: its loops are nested ones from now on.
    _enter()


def _backend(**settings: Any) -> Any:
    from .threads import NestedBackend

    return NestedBackend(**settings)


class _Finder(importlib.abc.MetaPathFinder):
    """Sees joblib's import."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "joblib.parallel":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            sys.meta_path.insert(0, self)
            return None
        execute = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            _imported()

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def expect_joblib() -> None:
    """From now on a loop inside of a call that names the backend "orleans" finds it, and stays on this host."""
    if "joblib.parallel" in sys.modules:
        _imported()
    else:
        sys.meta_path.insert(0, _Finder())
