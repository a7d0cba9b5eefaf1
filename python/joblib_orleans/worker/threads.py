"""The backend "orleans" inside of a call on a worker."""

import warnings
from typing import Any

from joblib._parallel_backends import FallbackToBackend, ParallelBackendBase, ThreadingBackend


class NestedBackend(ParallelBackendBase):
    """Runs on threads of the worker, and says so: calls that wait for slots while they hold one could wait for ever."""

    supports_retrieve_callback = True
    supports_inner_max_num_threads = True
    supports_timeout = True
    supports_return_generator = True

    def __init__(self, nesting_level: Any = None, inner_max_num_threads: Any = None, **_: Any):
        super().__init__(nesting_level=nesting_level, inner_max_num_threads=inner_max_num_threads)

    def effective_n_jobs(self, n_jobs: Any) -> int:
        return ThreadingBackend(nesting_level=self.nesting_level).effective_n_jobs(n_jobs)

    def apply_async(self, func: Any, callback: Any = None) -> Any:
        raise NotImplementedError("this backend hands over to threads")

    submit = apply_async

    def configure(self, n_jobs: int = 1, parallel: Any = None, **_: Any) -> int:
        warnings.warn("A loop on the backend 'orleans' inside of a call of one runs on threads of its worker.", stacklevel=4)
        raise FallbackToBackend(ThreadingBackend(nesting_level=self.nesting_level))
