"""The errors of this package. Whatever a call itself raises reaches the caller as what it is."""

from pickle import PicklingError
from typing import Optional

__all__ = [
    "CallPicklingError",
    "ClusterError",
    "ClusterUnavailableError",
    "MissingModuleError",
    "RemoteError",
    "ResultPicklingError",
    "TerminatedWorkerError",
    "terminated_worker_error",
]


class ClusterError(RuntimeError):
    """The cluster could not do what it was asked. ``code`` is the heading of docs/errors.md that says more; None when there is none."""

    def __init__(self, message: str, code: Optional[str] = None):
        super().__init__(message)
        self.code = code

    def __reduce__(self):
        return type(self), (str(self), self.code)


class ClusterUnavailableError(ClusterError, ConnectionError):
    """No gateway answers, or none any more."""


class CallPicklingError(PicklingError):
    """A function or an argument cannot be pickled; says which part of which call. Raised before anything of the call is sent."""


class ResultPicklingError(PicklingError):
    """What a call returned cannot be pickled; says which part."""


class MissingModuleError(ModuleNotFoundError):
    """The worker has no such module; says which one, and which interpreter on which host it is."""


class RemoteError(RuntimeError):
    """Stands in for an exception of a call that cannot be pickled; its text is the original's type, message and traceback."""


def _terminated_worker_error() -> type:
    # Debian's joblib of some suites has loky as a package of its own.
    try:
        from joblib.externals.loky.process_executor import TerminatedWorkerError
    except ImportError:
        from loky.process_executor import TerminatedWorkerError
    return TerminatedWorkerError


def terminated_worker_error(message: str) -> Exception:
    """The error that joblib raises for a worker process that died."""
    return _terminated_worker_error()(message)


def __getattr__(name: str):
    # joblib imports loky when it is first used; so does this module.
    if name == "TerminatedWorkerError":
        return _terminated_worker_error()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
