"""Runs the loops of joblib, and of what uses it, on a cluster of Orleans.Joblib silos: docs/python.md.

``register_orleans("host:port")`` once, then ``with parallel_config(backend="orleans"): …``.
"""

from typing import Any

from ._version import __version__

__all__ = ["LocalCluster", "OrleansBackend", "__version__", "errors", "register_orleans"]


def __getattr__(name: str) -> Any:
    # Workers import this package, and need neither gRPC nor the client.
    if name in ("OrleansBackend", "register_orleans"):
        from . import backend

        return getattr(backend, name)
    if name == "LocalCluster":
        from .cluster import LocalCluster

        return LocalCluster
    if name == "errors":
        import importlib

        return importlib.import_module(".errors", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
