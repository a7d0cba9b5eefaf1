"""The worker process that silos start: ``python -m joblib_orleans.worker``. It speaks frames (docs/wire-format.md) with its silo over standard input and output."""
