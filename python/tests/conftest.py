"""What the tests share: where the silo is, a cluster for all tests that need one, and a worker driven over its pipes."""

import faulthandler
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent
sys.path.insert(0, str(PACKAGE))
sys.path.insert(0, str(HERE))

BUILT_SILO = PACKAGE.parent / "src" / "Silo" / "Host" / "bin" / "Release" / "net10.0" / "joblib-silo.dll"


def silo_is_missing():
    """Why tests that need a silo cannot run; None when they can."""
    if os.environ.get("JOBLIB_SILO"):
        return None if os.path.isfile(os.environ["JOBLIB_SILO"]) else f"JOBLIB_SILO names '{os.environ['JOBLIB_SILO']}', which is not there"
    if not BUILT_SILO.is_file():
        return f"joblib-silo is not built: {BUILT_SILO} is not there (dotnet build -c Release)"
    if shutil.which("dotnet") is None:
        return "there is no 'dotnet' on the path"
    os.environ["JOBLIB_SILO"] = str(BUILT_SILO)
    return None


def pytest_configure(config):
    # Not what pytest captures.
    config.hung_tests = os.fdopen(os.dup(2), "w")


def pytest_unconfigure(config):
    config.hung_tests.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """A test that hangs ends the whole run, and says where each thread stood."""
    faulthandler.dump_traceback_later(120, exit=True, file=item.config.hung_tests)
    yield
    faulthandler.cancel_dump_traceback_later()


def pytest_collection_modifyitems(items):
    why = silo_is_missing()
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()) or "own_cluster" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.silo)
            if why:
                item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def _shared_cluster():
    from joblib_orleans import LocalCluster

    with LocalCluster(slots=2) as cluster:
        yield cluster


@pytest.fixture
def cluster(_shared_cluster):
    """A cluster of two slots that tests share: leave it as it was."""
    _shared_cluster.register()
    return _shared_cluster


@pytest.fixture
def own_cluster():
    """Starts clusters of the test's own."""
    from joblib_orleans import LocalCluster

    started = []

    def start(**settings):
        started.append(LocalCluster(**{"slots": 2, **settings}))
        return started[-1]

    yield start
    for one in started:
        one.close()


def until(condition, seconds=20.0):
    """Waits for what has to come; whether it came."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def is_alive(process):
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A parent folder for segments of the test's own."""
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path))
    return str(tmp_path)


class DrivenWorker:
    """A real worker process, and its silo's part of the frames."""

    def __init__(self, interpreter=sys.executable, environment=None):
        from joblib_orleans.worker import frames

        self.frames = frames
        paths = [str(PACKAGE), str(HERE), *[p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(environment or {})}
        self.process = subprocess.Popen([interpreter, "-m", "joblib_orleans.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        self._input = frames.Input(os.dup(self.process.stdout.fileno()))
        self._output = frames.Output(self.process.stdin.fileno())
        self._watch = threading.Timer(60, self.process.kill)
        self._watch.start()
        self._handles = iter(range(1, 1 << 30))
        kind, body = self._input.read()
        assert kind == frames.HELLO
        self.hello = frames.Reader(body)

    def send(self, kind, body, pieces=()):
        self._output.send(kind, body, pieces)

    def read(self, *kinds):
        """The next frame; or the next of some kinds, leaving out the others."""
        while True:
            frame = self._input.read()
            if frame is None or not kinds or frame[0] in kinds:
                return frame

    def initialize(self, initializer=None, initargs=(), growth=300_000_000):
        from joblib_orleans.worker import prepare

        self.send(self.frames.SETUP, growth.to_bytes(8, "little"))
        return self.initialize_with(prepare.write(initializer, initargs))

    def initialize_with(self, prepared):
        self.send(self.frames.INITIALIZE, prepared)
        handle, status, _, rest = self.outcome()
        assert handle == 0
        return status, bytes(rest).decode()

    def start_run(self, run, max_bytes, *parents):
        body = run.to_bytes(8, "little") + (-1 if max_bytes is None else max_bytes).to_bytes(8, "little", signed=True) + b"\0\1" + (-1).to_bytes(8, "little", signed=True)
        body += self.frames.varuint(len(parents)) + b"".join(map(self.frames.string, parents))
        self.send(self.frames.RUN, body)

    def batch(self, payload, run=1, first=0, count=1, moved=None):
        handle = next(self._handles)
        body = self.frames._BATCH.pack(run, handle, handle, first, count, 0, 0, 2) + b"\0"
        body += self.frames.varuint(len(moved or {}))
        for there, here in (moved or {}).items():
            body += self.frames.string(there) + self.frames.string(here)
        self.send(self.frames.BATCH, body, [payload])
        return handle

    def outcome(self):
        """Handle, status, files and payload of the next outcome."""
        frame = self.read(self.frames.OUTCOME)
        assert frame is not None, f"the worker is gone: {self.process.stderr.read().decode()}"
        reader = self.frames.Reader(frame[1])
        handle = int.from_bytes(reader.take(8), "little", signed=True)
        status, self.leaving = reader.byte(), reader.byte()
        files = [reader.string() for _ in range(reader.varuint())]
        self.times = reader.unpack(self.frames._OUTCOME_TIMES)
        return handle, status, files, reader.rest()

    def close(self):
        self._watch.cancel()
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def workers():
    """Starts workers."""
    started = []

    def start(**settings):
        started.append(DrivenWorker(**settings))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def worker(workers):
    """A worker that has taken in what a client of this process says."""
    one = workers()
    assert one.initialize() == (one.frames.COMPLETED, "")
    return one
