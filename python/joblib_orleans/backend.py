"""The backend "orleans" of joblib, for all its versions from 1.2 on."""

import functools
import queue
import threading
import weakref
from typing import Any, Callable, Dict, Optional, Sequence, Tuple, Union

from joblib._parallel_backends import AutoBatchingMixin, FallbackToBackend, ParallelBackendBase, SequentialBackend
from joblib.parallel import register_parallel_backend

from .connection import Address, Connection, connection_to, parse_address
from .run import Future, Run, RunSettings
from .worker import prepare

NAME = "orleans"

_MODES = ("r", "r+", "w+", "c", None)


class OrleansBackend(AutoBatchingMixin, ParallelBackendBase):
    """Runs calls on a cluster of silos.

    ``address``: see :func:`register_orleans`. ``initializer(*initargs)`` is called once in each worker process before its first call; runs with equal ones share workers.
    ``inner_max_num_threads``: threads that native libraries may use in each worker; None for the cores of its host divided by its workers.

    One object serves one ``Parallel`` at a time; others that use it meanwhile get a copy each.
    """

    supports_retrieve_callback = True
    supports_return_generator = True
    supports_timeout = True
    supports_inner_max_num_threads = True
    supports_sharedmem = False
    uses_threads = False
    default_n_jobs = -1

    def __init__(
        self,
        nesting_level: Optional[int] = None,
        inner_max_num_threads: Optional[int] = None,
        address: Union[str, Sequence[str], Address, None] = None,
        initializer: Optional[Callable[..., Any]] = None,
        initargs: Tuple[Any, ...] = (),
        **backend_kwargs: Any,
    ):
        super().__init__(nesting_level=nesting_level, inner_max_num_threads=inner_max_num_threads)
        self.backend_kwargs: Dict[str, Any] = backend_kwargs
        self._address = address
        self._initializer = initializer
        self._initargs = initargs
        self._owner: Callable[[], Any] = lambda: None
        self._claim = threading.Lock()
        self._settings: Optional[RunSettings] = None
        self._run: Optional[Run] = None

    def __reduce__(self) -> Any:
        return type(self), (self.nesting_level, self.inner_max_num_threads, self._address)

    @property
    def _workers(self) -> Optional[Run]:
        return self._run

    def effective_n_jobs(self, n_jobs: Optional[int]) -> int:
        """Slots of the cluster for -1, one less for -2 and so on; other numbers are taken as they are, since a cluster may grow.

        A cluster with one slot counts as two: joblib would execute a loop of one job in this process, and -1 says that the cluster is to be used.
        Raises ClusterError when the cluster is asked and does not answer, ValueError for 0.
        """
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        if n_jobs is None:
            n_jobs = self.default_n_jobs
        if n_jobs < 0:
            n_jobs = max(self._connection().cluster().slots + 1 + n_jobs, 2)
        return n_jobs

    def configure(
        self,
        n_jobs: int = 1,
        parallel: Any = None,
        prefer: Optional[str] = None,
        require: Optional[str] = None,
        temp_folder: Optional[str] = None,
        max_nbytes: Any = 1 << 20,
        mmap_mode: Optional[str] = "r",
        initializer: Optional[Callable[..., Any]] = None,
        initargs: Optional[Tuple[Any, ...]] = None,
        **_: Any,
    ) -> int:
        """Finds the cluster and what workers need to know; opens nothing yet.

        Raises ClusterError when there is no cluster, and what cloudpickle raises when the initializer cannot travel.
        """
        if n_jobs is None:
            n_jobs = self.default_n_jobs
        if n_jobs == 1:
            raise FallbackToBackend(SequentialBackend(nesting_level=self.nesting_level))
        if mmap_mode not in _MODES:
            raise ValueError(f"mmap_mode must be one of {_MODES}, not {mmap_mode!r}.")
        connection = self._connection()
        slots = connection.cluster().slots
        effective = max(slots + 1 + n_jobs, 2) if n_jobs < 0 else self.effective_n_jobs(n_jobs)
        initializer = initializer or self._initializer
        settings = RunSettings(
            slots=-1 if n_jobs == -1 else effective,
            threads=self.inner_max_num_threads or 0,
            prepare=prepare.write(initializer, self._initargs if initargs is None else initargs),
            max_bytes=max_nbytes,
            mmap_mode=mmap_mode,
            temp_folder=temp_folder,
        )
        with self._claim:
            owner = self._owner()
            if owner is not None and owner is not parallel:
                # A generator that is not exhausted, or another thread's loop: each has a run, and ends no other's.
                raise FallbackToBackend(self._clone())
            self._owner = weakref.ref(parallel) if parallel is not None else lambda: None
        self._settings = settings
        self.parallel = parallel
        return effective

    def start_call(self) -> None:
        """Opens the run, if it is not open from the last call of this ``Parallel``; does not wait for it."""
        if self._run is None and self._settings is not None:
            self._run = Run(self._connection(), self._settings)
        self._drop_stale_batches()
        if self._run is not None:
            self._run.start_call()

    def _drop_stale_batches(self) -> None:
        # joblib keeps batches that it had cut when a call failed, and would return their results from the next call of the same Parallel.
        ready = getattr(self.parallel, "_ready_batches", None)
        while ready is not None:
            try:
                ready.get(block=False)
            except queue.Empty:
                return

    def submit(self, func: Any, callback: Optional[Callable[[Any], None]] = None) -> Future:
        """Takes a batch for the cluster; never blocks or raises."""
        run = self._run
        # Without one the call has been aborted, and nobody waits.
        return Future() if run is None else run.submit(func, callback)

    def apply_async(self, func: Any, callback: Optional[Callable[[Any], None]] = None) -> Future:
        """What joblib before 1.5 calls :meth:`submit`."""
        return self.submit(func, callback)

    def retrieve_result_callback(self, out: Future) -> Any:
        """The results of a batch, or its exception."""
        return out.result()

    def get_nested_backend(self) -> Any:
        """Loops inside of calls run on threads of their worker, those inside of these one call after the other."""
        if self.nesting_level is None:
            self.nesting_level = 0
        return super().get_nested_backend()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Ends the run at once: what has started is killed. The next call opens another."""
        run, self._run = self._run, None
        if run is not None:
            run.abort()

    def terminate(self) -> None:
        """Ends the run; workers stay warm at their silos for the next one. Does not wait."""
        run, self._run = self._run, None
        if run is not None:
            run.close()
        self._owner = lambda: None
        self.reset_batch_stats()

    def _connection(self) -> Connection:
        address = self._address if isinstance(self._address, Address) else parse_address(self._address)
        return connection_to(address)

    def _clone(self) -> "OrleansBackend":
        return type(self)(self.nesting_level, self.inner_max_num_threads, self._address, self._initializer, self._initargs, **self.backend_kwargs)


def register_orleans(address: Union[str, Sequence[str], Address, None] = None, make_default: bool = False) -> None:
    """Makes the backend name "orleans" known to joblib.

    ``address``: gateways of one cluster as ``"host:port,host:port"``, or a sequence of them; when one is away, the next is asked. ``?tls-certificate=…&tls-key=…&tls-ca=…`` behind it
    name PEM files; the environment's JOBLIB_TLS_CERTIFICATE, JOBLIB_TLS_KEY and JOBLIB_TLS_CA do, too. None for the environment's JOBLIB_ORLEANS_CLUSTER, read when a loop starts.
    ``make_default``: loops that name no backend use it.

    Connects to nothing. Raises ValueError for what is no address.
    """
    known = address if address is None or isinstance(address, Address) else parse_address(address)
    register_parallel_backend(NAME, functools.partial(OrleansBackend, address=known), make_default=make_default)
