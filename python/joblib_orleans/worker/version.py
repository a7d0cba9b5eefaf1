"""The versions of what a worker needs, without importing it: that takes longer than all else at its start."""

import importlib
import importlib.metadata
import importlib.util
import platform
import sys

from .._version import __version__


def versions() -> dict:
    """By name. Raises ImportError for what is not there."""
    return {
        "implementation": platform.python_implementation(),
        "python": platform.python_version(),
        "joblib": _version("joblib"),
        "cloudpickle": _version("cloudpickle"),
        "joblib-orleans": __version__,
    }


def describe(said: dict) -> str:
    """Versions for people, on one line."""
    return f"Python {said['python']}, joblib {said['joblib']}, cloudpickle {said['cloudpickle']}, joblib-orleans {said['joblib-orleans']}"


def _version(module: str) -> str:
    if module in sys.modules:
        return sys.modules[module].__version__
    if importlib.util.find_spec(module) is None:
        raise ModuleNotFoundError(f"No module named '{module}'", name=module)
    try:
        return importlib.metadata.version(module)
    except importlib.metadata.PackageNotFoundError:
        return importlib.import_module(module).__version__
