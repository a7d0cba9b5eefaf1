"""The package's version, read by the client and by the worker."""

__version__ = "0.1.0"
