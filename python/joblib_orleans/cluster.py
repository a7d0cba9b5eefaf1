"""A cluster on this machine: one silo process, started and stopped from Python."""

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import weakref
from typing import Any, Dict, List, Mapping, Optional, Sequence

from . import connection, run
from .backend import NAME, register_orleans
from .errors import ClusterError, ClusterUnavailableError

SILO_VARIABLE = "JOBLIB_SILO"

#: Seconds until a silo has to be ready, and until it has to be gone when it is told.
READY_WITHIN = 60.0
ENDS_WITHIN = 15.0

_clusters: "weakref.WeakSet[LocalCluster]" = weakref.WeakSet()


def find_silo() -> List[str]:
    """The command that starts a silo: what JOBLIB_SILO names, the executable in this package, or joblib-silo on the path or among dotnet's tools.

    Raises ClusterError when there is none.
    """
    named = os.environ.get(SILO_VARIABLE)
    packaged = os.path.join(os.path.dirname(__file__), "silo", "joblib-silo")
    candidates = [named] if named else [packaged, packaged + ".dll", shutil.which("joblib-silo"), os.path.expanduser("~/.dotnet/tools/joblib-silo")]
    for candidate in candidates:
        if candidate and os.path.isfile(candidate):
            if candidate.endswith(".dll"):
                dotnet = shutil.which("dotnet")
                if dotnet is None:
                    raise ClusterError(f"'{candidate}' needs .NET, and there is no 'dotnet' on the path.", "local-silo")
                return [dotnet, candidate]
            return [candidate]
    where = f"{SILO_VARIABLE} names '{named}', which is not there" if named else "it is neither in this package nor on the path"
    raise ClusterError(f"joblib-silo is not found: {where}. Install it (dotnet tool install -g joblib-silo), or let {SILO_VARIABLE} name its executable or its .dll.", "local-silo")


class LocalCluster:
    """A silo on this machine with workers for Python; a context manager. Starts with the object, ends with :meth:`close`, with the ``with`` block, or with this process, however that ends.

    ``slots``: its worker processes; None for the cores of this machine. ``python``: their interpreter; None for this one. ``register``: whether the backend name "orleans" means this cluster from now on.
    ``environment``: variables of the silo and its workers, beside this process's. ``arguments``: more of joblib-silo.

    Raises ClusterError when there is no joblib-silo, or when it does not start. Thread-safe.
    """

    def __init__(
        self,
        slots: Optional[int] = None,
        python: Optional[str] = None,
        register: bool = True,
        environment: Optional[Mapping[str, str]] = None,
        arguments: Sequence[str] = (),
    ):
        self._process: Optional[subprocess.Popen] = None
        self._before: Any = None
        self._factory: Any = None
        self._lock = threading.Lock()
        command = find_silo()
        #: The port of its silo, by which others may join.
        self.silo_port = port = _free_port()
        command += ["--cluster", "localhost", "--silo-port", str(port), "--primary-port", str(port), "--gateway-port", "0", "--health-port", "0", "--grpc-port", "0"]
        command += ["--python", python or sys.executable, "--exit-with-parent", str(os.getpid()), "--json", *(() if "--log-level" in arguments else ("--log-level", "Warning")), *arguments]
        if slots is not None:
            if slots < 1:
                raise ValueError(f"slots must be at least 1, not {slots}.")
            command += ["--slots", str(slots)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=_environment(environment), start_new_session=True)
        _clusters.add(self)
        try:
            # Meanwhile: what the first loop needs.
            connection.warm_up()
            ready = self._wait_until_ready()
        except BaseException:
            self._kill()
            raise
        #: ``host:port`` of its gateway.
        self.address: str = ready["grpc"]
        #: Its worker processes.
        self.slots: int = ready.get("slots", slots or 0)
        #: Its process id.
        self.pid: int = self._process.pid
        self._reader = threading.Thread(target=self._pass_on, name="joblib-orleans-silo", daemon=True)
        self._reader.start()
        if register:
            self.register()

    def register(self) -> None:
        """From now on the backend name "orleans" means this cluster."""
        from joblib.parallel import BACKENDS

        if BACKENDS.get(NAME) is not self._factory:
            self._before = BACKENDS.get(NAME)
        # Plain, whatever certificates the environment names: nobody else can listen in on this machine.
        register_orleans(connection.Address((self.address,)))
        self._factory = BACKENDS[NAME]

    def close(self) -> None:
        """Ends the silo, its workers and what runs there; waits for it. Loops that still wait for results raise ClusterUnavailableError."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        self._unregister()
        try:
            for address in connection.addresses_of(self.address):
                run.end_all(address=address, error=ClusterUnavailableError(f"The cluster at '{self.address}' has been closed."))
                connection.forget(address)
        finally:
            # Also when somebody presses Ctrl-C meanwhile.
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(ENDS_WITHIN)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self._reader.join(ENDS_WITHIN)
        if process.stdout:
            process.stdout.close()
        _clusters.discard(self)

    def __enter__(self) -> "LocalCluster":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LocalCluster({getattr(self, 'address', 'not started')}, slots={getattr(self, 'slots', 0)}{'' if self._process else ', closed'})"

    def _unregister(self) -> None:
        from joblib.parallel import BACKENDS

        if self._factory is not None and BACKENDS.get(NAME) is self._factory:
            if self._before is None:
                del BACKENDS[NAME]
            else:
                BACKENDS[NAME] = self._before

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
        if process is not None and process.stdout:
            process.stdout.close()

    def _wait_until_ready(self) -> Dict[str, Any]:
        process = self._process
        assert process is not None and process.stdout is not None
        late = threading.Timer(READY_WITHIN, process.kill)
        late.start()
        said: List[str] = []
        try:
            for line in process.stdout:
                text = line.decode("utf-8", "replace").strip()
                if text.startswith("{"):
                    ready = json.loads(text)
                    if ready.get("grpc"):
                        return ready
                said.append(text)
        finally:
            late.cancel()
        code = process.wait()
        told = "\n".join(said).strip()
        raise ClusterError(f"The local silo did not start (exit code {code}): {told[-4000:] or 'it said nothing'}", "local-silo")

    def _pass_on(self) -> None:
        process = self._process
        if process is None or process.stdout is None:
            return
        for line in process.stdout:
            try:
                sys.stderr.write(line.decode("utf-8", "replace"))
            except (OSError, ValueError, AttributeError):
                pass


def _environment(more: Optional[Mapping[str, str]]) -> Dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JOBLIB_TLS_")}
    # Counting calls to optimise them later takes a tenth of the silo's start, and of its first loops.
    environment.setdefault("DOTNET_TieredPGO", "0")
    environment.update(more or {})
    # Workers import this very package, installed or not.
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    paths = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    if here not in paths:
        paths.append(here)
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    return environment


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _close_all() -> None:
    for cluster in list(_clusters):
        cluster.close()


def _after_fork_in_child() -> None:
    # They are the parent's.
    for cluster in list(_clusters):
        cluster._process = None
    _clusters.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(_close_all)
