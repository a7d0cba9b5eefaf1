"""What joblib's versions call the same."""

import joblib

VERSION = tuple(int(part) for part in joblib.__version__.split(".")[:2])
HAS_GENERATORS = VERSION >= (1, 3)
HAS_UNORDERED = VERSION >= (1, 4)

#: Before 1.3 the context is parallel_backend alone.
context = getattr(joblib, "parallel_config", None) or joblib.parallel_backend
