"""The versions of what a worker needs, without importing it: a silo asks for them when it starts."""

import importlib
import importlib.metadata
import importlib.util
import platform

from .._version import __version__


def line() -> str:
    """Versions for people. Raises ImportError for what is not there."""
    return f"Python {platform.python_version()}, joblib {_version('joblib')}, cloudpickle {_version('cloudpickle')}, joblib-orleans {__version__}"


def _version(module: str) -> str:
    if importlib.util.find_spec(module) is None:
        raise ModuleNotFoundError(f"No module named '{module}'", name=module)
    try:
        return importlib.metadata.version(module)
    except importlib.metadata.PackageNotFoundError:
        return importlib.import_module(module).__version__
