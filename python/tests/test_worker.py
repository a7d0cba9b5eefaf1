"""A real worker process, driven over its pipes as a silo does."""

import fcntl
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import joblib
import numpy
import pytest
from conftest import is_alive, until
from joblib._parallel_backends import ThreadingBackend

from joblib_orleans import arrays, calls, events, results, store
from joblib_orleans.arrays import ArraySink
from joblib_orleans.errors import MissingModuleError, RemoteError, ResultPicklingError
from joblib_orleans.worker import frames, nested, prepare
from joblib_orleans.worker.mapped import Mappings
from joblib_orleans.wire import pack, unpack


def payload(items, sink=None, nested=None):
    said = nested
    sink = sink or ArraySink(None, "r")
    buffers, entries = sink.dump((said, events.settings(), calls.shape(items)))
    places = []
    for entry in entries:
        if entry.is_own_file:
            places.append((entry.file, entry.start, arrays.file_identity(entry.file)))
            continue
        if entry.segment is None:
            sink.written(entry, store.write(store.parents(), *entry.pieces()))
        places.append((entry.segment.path, arrays.HEAD_BYTES, ""))
    return b"".join(arrays.pack_payload(places, buffers))


def call(function, *arguments, **keywords):
    return function, arguments, keywords


def returned(outcome, folders=()):
    handle, status, files, body = outcome
    if status == frames.FAILED:
        raise results.Failed(bytes(body)).error
    assert status == frames.COMPLETED
    return results.read_returned(bytes(body), dict(zip(files, files)), folders, None)


def run(worker, *items, **settings):
    worker.batch(payload(list(items), **settings))
    return returned(worker.outcome())[0]


def failure(worker, *items, **settings):
    worker.batch(payload(list(items)), **settings)
    handle, status, files, body = worker.outcome()
    assert status == frames.FAILED
    return results.Failed(bytes(body))


def test_hello_says_mark_group_protocol_and_versions(workers):
    worker = workers()
    hello = worker.hello
    assert bytes(hello.take(hello.varuint())) == b"joblib-python"
    assert hello.byte() == 1 and os.getpgid(worker.process.pid) == worker.process.pid
    assert int.from_bytes(hello.take(4), "little") == 1
    assert f"joblib {joblib.__version__}" in hello.string()


def test_version_is_one_line():
    said = subprocess.run([sys.executable, "-m", "joblib_orleans.worker", "--version"], stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parents[1]).stdout
    assert said.endswith("\n") and len(said.splitlines()) == 1 and f"joblib {joblib.__version__}" in said


def test_batches_return_results_in_order(worker):
    assert run(worker, call(abs, -3), call(abs, -4)) == [3, 4]
    assert run(worker, call(pow, 2, 5), call(pow, 3, 3)) == [32, 27]
    assert run(worker, call(int, "z", base=36), call(max, 1, 2)) == [35, 2]
    seven = 7
    assert run(worker, call(lambda x: x + seven, 1)) == [8]


def test_initializer_runs_before_the_first_batch(workers):
    worker = workers()

    def initialize(value):
        import builtins

        builtins.set_by_test = value

    assert worker.initialize(initialize, (5,)) == (frames.COMPLETED, "")
    assert run(worker, call(lambda: set_by_test)) == [5]  # noqa: F821


def test_initializer_that_raises_fails_by_name(workers):
    def initialize():
        raise KeyError("no such thing")

    status, text = workers().initialize(initialize)
    assert status == frames.FAILED and "KeyError: 'no such thing'" in text and "Traceback" in text


def changed(**said):
    head, initializer = unpack(prepare.write(None, ()))
    return pack([json.dumps({**json.loads(bytes(head)), **said}).encode(), bytes(initializer)])


def test_another_python_is_refused_with_both_versions(workers):
    status, text = workers().initialize_with(changed(python="3.2.1"))
    assert status == frames.FAILED and "3.2.1" in text and "%d.%d.%d" % sys.version_info[:3] in text and sys.executable in text


def test_another_joblib_is_a_notice_with_the_first_outcome(workers):
    worker = workers()
    assert worker.initialize_with(changed(joblib="0.9.1"))[0] == frames.COMPLETED
    worker.batch(payload([call(abs, -1)]))
    _, happened = returned(worker.outcome())
    assert [event[0] for event in happened] == ["notice"] and "0.9.1" in happened[0][1]
    worker.batch(payload([call(abs, -1)]))
    assert returned(worker.outcome())[1] == []


def test_path_and_folder_are_the_clients(workers, tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("def f(x): return x * 3")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_here

    worker = workers()
    worker.initialize()
    assert run(worker, call(only_here.f, 4), call(os.getcwd)) == [12, str(tmp_path)]
    del sys.modules["only_here"]


def test_missing_module_is_named_with_the_interpreter(workers, tmp_path, monkeypatch):
    worker = workers()
    worker.initialize()
    (tmp_path / "client_only.py").write_text("def f(x): return x")
    monkeypatch.syspath_prepend(str(tmp_path))
    import client_only

    error = failure(worker, call(client_only.f, 1)).error
    assert isinstance(error, MissingModuleError) and error.name == "client_only" and sys.executable in str(error)
    del sys.modules["client_only"]


def test_exception_brings_type_traceback_index_and_call(worker):
    def divide(a, b=0):
        return a / b

    worker.batch(payload([call(divide, 1, 1), call(divide, 5, b=0)]), first=40, count=2)
    failed = results.Failed(bytes(worker.outcome()[3]))
    error = failed.error
    assert type(error) is ZeroDivisionError and error.joblib_call_index == 41 and error.joblib_call.endswith("divide(5, b=0)")
    assert "return a / b" in str(error.__cause__) and "execute.py" not in str(error.__cause__) and str(worker.process.pid) in str(error.__cause__)


class Shapeless:
    """As an uninitialized parameter of torch."""

    @property
    def shape(self):
        raise RuntimeError("no shape yet")


def test_an_argument_that_cannot_be_described_hides_no_exception(worker):
    def fail(value):
        raise KeyError("why")

    error = failure(worker, call(fail, Shapeless())).error
    assert type(error) is KeyError and error.joblib_call.endswith("fail(<Shapeless>)")


class Finicky(Exception):
    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")
        self.both = a, b


def test_exception_whose_constructor_wants_more_survives(worker):
    def fail():
        raise Finicky(1, 2)

    error = failure(worker, call(fail)).error
    assert type(error) is Finicky and error.both == (1, 2) and str(error) == "1 and 2"


def test_exception_that_cannot_travel_is_told(worker):
    def fail():
        import threading

        class Local(Exception):
            gate = threading.Lock()

        raise Local("why")

    error = failure(worker, call(fail)).error
    assert isinstance(error, RemoteError) and "Local" in str(error) and "why" in str(error)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_but_raised_reaches_the_caller(worker, kind):
    def fail():
        raise kind()

    assert type(failure(worker, call(fail)).error) is kind
    assert run(worker, call(abs, -1)) == [1]


def test_result_that_cannot_be_pickled_is_named(worker):
    def opened():
        import threading

        return {"a": [1, threading.Lock()]}

    error = failure(worker, call(opened)).error
    assert isinstance(error, ResultPicklingError)
    assert "opened()" in str(error) and "item 'a' → item 1 → _thread.lock" in str(error)


def test_events_come_in_order(worker):
    def speak():
        import logging
        import subprocess
        import warnings

        print("one")
        print("two", file=sys.stderr)
        logging.getLogger("a.b").warning("three %d", 3)
        warnings.warn("four", RuntimeWarning)
        sys.stdout.write("no end")
        subprocess.run(["echo", "child"], check=True)

    worker.batch(payload([call(speak)]))
    _, happened = returned(worker.outcome())
    kinds = [event[0] for event in happened]
    assert kinds[:4] == ["out", "err", "log", "warn"]
    assert happened[0][1] == "one\n" and happened[1][1] == "two\n"
    assert happened[2][1]["name"] == "a.b" and happened[2][1]["msg"] == "three 3" and happened[2][1]["process"] == worker.process.pid
    assert happened[3][1:3] == (RuntimeWarning, "four")
    rest = "".join(event[1] for event in happened[4:])
    assert "no end" in rest and "child\n" in rest


def test_what_is_printed_between_batches_is_the_silos(worker):
    def later():
        import threading
        import time

        def speak():
            time.sleep(0.3)
            print("afterwards")

        threading.Thread(target=speak).start()

    assert run(worker, call(later)) == [None]
    kind, body = worker.read(frames.OUTPUT)
    reader = frames.Reader(body)
    assert reader.byte() == 0 and reader.string() == "afterwards\n"


class Piece(bytes):
    """A part of a frame that speaks when it is asked for its length the second time: in the middle of the frame."""

    def __new__(cls, data, speak):
        piece = super().__new__(cls, data)
        piece.speak, piece.asked = speak, 0
        return piece

    def __len__(self):
        self.asked += 1
        if self.asked == 2:
            self.speak()
        return super().__len__()


def test_what_a_finalizer_prints_while_its_thread_sends_goes_out_behind_the_frame():
    from joblib_orleans.worker.events import Events

    reads, writes = os.pipe()
    output, received = frames.Output(writes), frames.Input(reads)
    happened = Events(lambda is_error, text: output.post(frames.OUTPUT, frames.output(is_error, text)))

    def speak():
        happened.text(False, "inside\n")
        # Another thread's text at that moment: it waits for nothing, above all not with a lock that a finalizer wants.
        other = threading.Thread(target=happened.text, args=(True, "beside\n"), daemon=True)
        other.start()
        other.join(10)
        assert not other.is_alive()

    piece = Piece(b"payload", speak)
    sender = threading.Thread(target=output.send, args=(frames.OUTCOME, b"head ", [piece]), daemon=True)
    sender.start()
    sender.join(20)
    assert not sender.is_alive()
    assert received.read() == (frames.OUTCOME, bytearray(b"head payload"))
    assert [received.read() for _ in range(2)] == [(frames.OUTPUT, bytearray(frames.output(*said))) for said in [(False, "inside\n"), (True, "beside\n")]]
    os.close(writes)
    received._file.close()


def test_output_between_batches_after_one_that_printed_too_much(worker, folder, tmp_path):
    go = tmp_path / "go"
    worker.start_run(1, None, folder)

    def print_much():
        import threading
        import time

        print("x" * (17 << 20))

        def later():
            while not go.exists():
                time.sleep(0.005)
            os.write(1, b"between\n")

        threading.Thread(target=later).start()

    worker.batch(payload([call(print_much)]))
    assert worker.outcome()[1] == frames.COMPLETED
    go.write_text("")
    _, body = worker.read(frames.OUTPUT)
    assert bytes(body[1:]) == frames.string("between\n")
    # More than a pipe holds: somebody reads it while the call runs.
    assert run(worker, call(os.write, 1, b"x" * 199_999 + b"\n")) == [200_000]


def test_log_levels_are_the_clients(worker, caplog):
    def level(name):
        import logging

        return logging.getLogger(name).getEffectiveLevel()

    import logging

    with caplog.at_level(logging.DEBUG, "x.y"):
        assert run(worker, call(level, "x.y.z"), call(level, "other")) == [logging.DEBUG, logging.getLogger().level]
    assert run(worker, call(level, "x.y.z")) == [logging.getLogger().level]


def test_calls_find_neither_input_nor_the_frames(worker):
    def intrude():
        os.write(1, b"not a frame\n")
        return sys.stdin.read(), os.read(0, 10)

    assert run(worker, call(intrude)) == [("", b"")]


def test_nested_loops_get_the_backend_that_the_batch_says(worker):
    def inner():
        from joblib.parallel import get_active_backend

        backend, n_jobs = get_active_backend()
        return type(backend).__name__, backend.nesting_level, n_jobs, joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(-i) for i in range(3))

    name, level, n_jobs, found = run(worker, call(inner), nested=nested.describe(ThreadingBackend(nesting_level=1), None))[0]
    assert (name, level, n_jobs or 1, found) == ("ThreadingBackend", 1, 1, [0, 1, 2])


def test_joblib_is_imported_by_calls_alone(worker):
    def loaded():
        return "joblib" in sys.modules, "numpy" in sys.modules

    assert run(worker, call(loaded), nested=nested.describe(ThreadingBackend(nesting_level=1), None)) == [(False, False)]


def test_nested_backend_of_any_kind_travels(worker):
    from joblib._parallel_backends import MultiprocessingBackend

    def active():
        from joblib.parallel import get_active_backend

        return type(get_active_backend()[0]).__name__, get_active_backend()[1]

    assert run(worker, call(active), nested=nested.describe(MultiprocessingBackend(nesting_level=3), 2)) == [("MultiprocessingBackend", 2)]
    assert run(worker, call(active), nested=nested.describe(ThreadingBackend(nesting_level=1), 5)) == [("ThreadingBackend", 5)]
    assert run(worker, call(active)) != [("ThreadingBackend", 5)]


def test_nested_loop_on_orleans_uses_threads_and_says_so(worker):
    def inner():
        import threading

        return set(joblib.Parallel(n_jobs=2, backend="orleans")(joblib.delayed(os.getpid)() for _ in range(4))) == {os.getpid()}

    worker.batch(payload([call(inner)], nested=nested.describe(ThreadingBackend(nesting_level=1), None)))
    found, happened = returned(worker.outcome())
    assert found == [True]
    assert any(event[0] == "warn" and "threads" in event[2] for event in happened)


def test_small_arrays_are_to_be_written_to(worker):
    def change(array):
        array += 1
        return array

    (found,) = run(worker, call(change, numpy.arange(1000.0)))
    found[0] = 9
    assert found[1] == 2


@pytest.mark.parametrize("mode", ["r", "r+", "c", "w+", None])
@pytest.mark.parametrize("make", [lambda a: a, lambda a: numpy.asfortranarray(a), lambda a: a[::2, ::-1], lambda a: a.T], ids=["C", "F", "strided", "transposed"])
def test_large_arrays_are_mapped(worker, folder, mode, make):
    array = make(numpy.random.default_rng(0).normal(size=(300, 50)))

    def look(seen):
        writable = seen.flags.writeable
        if writable:
            seen[0, 0] = 7
        return type(seen).__name__, writable, float(seen.sum()), seen.shape

    sink = ArraySink(1000, mode)
    kind, writable, total, shape = run(worker, call(look, array), sink=sink)[0]
    assert kind == ("memmap" if mode else "ndarray")
    assert writable == (mode != "r")
    assert shape == array.shape and array[0, 0] != 7
    assert total == pytest.approx(array.sum() - (array[0, 0] - 7 if writable else 0))
    sink.close()
    assert [name for name in os.listdir(store.folder_below(folder)) if name != "seed"] == []


def test_an_array_is_written_once_and_mapped_once(worker, folder):
    array = numpy.arange(1000.0)
    sink = ArraySink(1000, "r")

    def place(seen):
        return seen.filename, seen.__array_interface__["data"][0]

    first = run(worker, call(place, array), call(place, array), sink=sink)
    second = run(worker, call(place, array), sink=sink)
    assert len({str(file) for file, _ in first + second}) == 1 and len({at for _, at in first + second}) == 1
    sink.close()


@pytest.mark.parametrize("view", [lambda m: m, lambda m: m[10:20], lambda m: m[::2, 1:], lambda m: m[::-1, ::-1], lambda m: m.T, lambda m: numpy.asarray(m)[3:5]], ids="whole rows strided back T asarray".split())
def test_users_own_memmap_travels_as_its_file(worker, tmp_path, view):
    path = tmp_path / "own.bin"
    numpy.arange(600, dtype="i4").tofile(path)
    mapped = numpy.memmap(path, "i4", "r+", offset=0, shape=(30, 20))
    seen = view(mapped)

    def change(there):
        total = int(there.sum())
        there[0, 0] += 1000
        return total

    before = int(seen.sum())
    assert run(worker, call(change, seen)) == [before]
    assert int(seen.sum()) == before + 1000


def test_a_file_that_is_not_here_is_asked_for(worker, tmp_path):
    path = tmp_path / "own.bin"
    numpy.arange(600, dtype="i4").tofile(path)
    mapped = numpy.memmap(path, "i4", "r")
    data = payload([call(numpy.sum, mapped)])
    os.replace(path, tmp_path / "moved.bin")
    worker.batch(data)
    handle, status, files, body = worker.outcome()
    assert status == frames.FAILED and results.Failed(bytes(body)).missing == [0]


def test_moved_arrays_are_read_where_they_are(worker, folder):
    array = numpy.arange(1000.0)
    sink = ArraySink(1000, "r")
    data = payload([call(numpy.sum, array)], sink=sink)
    there = next(iter(sink._all.values())).segment.path
    here = os.path.join(folder, "elsewhere.npy")
    os.rename(there, here)
    worker.batch(data, moved={there: here})
    assert returned(worker.outcome())[0] == [array.sum()]
    os.unlink(here)


def test_large_results_come_as_files_that_live_until_they_are_taken(worker, folder):
    worker.start_run(1, 1000, folder)
    array = numpy.arange(5000.0).reshape(50, 100)

    def make():
        return numpy.arange(5000.0).reshape(50, 100), numpy.asfortranarray(numpy.arange(5000.0).reshape(50, 100)), "small", numpy.arange(3)

    worker.batch(payload([call(make)]))
    outcome = worker.outcome()
    assert len(outcome[2]) == 2 and all(os.path.exists(file) for file in outcome[2])
    store.sweep(folder)
    assert all(os.path.exists(file) for file in outcome[2]), "they are in use"
    ((c, f, small, few),), _ = returned(outcome, [store.folder_below(folder)])
    assert type(c) is numpy.ndarray and c.flags.writeable and c.flags.c_contiguous and f.flags.f_contiguous
    assert (c == array).all() and (f == array).all() and small == "small" and few.tolist() == [0, 1, 2]
    c[0, 0] = 5
    assert not any(os.path.exists(file) for file in outcome[2])
    array[0, 0] = 5
    assert (c == array).all(), "what is mapped lasts without its name"
    worker.send(frames.TAKEN, outcome[0].to_bytes(8, "little"))
    assert run(worker, call(abs, -1)) == [1]


def test_results_that_are_taken_are_left_to_their_user(worker, folder):
    worker.start_run(1, 1000, folder)
    worker.batch(payload([call(numpy.ones, 5000)]))
    handle, _, files, _ = worker.outcome()
    user = store.use(files[0])
    worker.send(frames.TAKEN, handle.to_bytes(8, "little"))
    assert run(worker, call(abs, -1)) == [1]
    store.sweep(folder)
    assert os.path.exists(files[0])
    user.close()
    store.sweep(folder)
    assert not os.path.exists(files[0])


def test_results_that_nobody_takes_go_with_the_worker(worker, folder):
    worker.start_run(1, 1000, folder)
    worker.batch(payload([call(numpy.ones, 5000)]))
    files = worker.outcome()[2]
    assert len(files) == 1
    worker.process.stdin.close()
    assert until(lambda: not os.path.exists(files[0]))


def test_result_that_is_a_view_of_an_argument_is_a_copy(worker, folder):
    sink = ArraySink(1000, "r")
    array = numpy.arange(5000.0)
    worker.batch(payload([call(lambda a: a[:10], array)], sink=sink))
    ((found,), _) = returned(worker.outcome())
    sink.close()
    assert type(found) is numpy.ndarray and found.flags.writeable and found.tolist() == list(range(10))


def test_results_longer_than_a_message_come_as_a_file(worker, folder):
    worker.start_run(1, None, folder)
    worker.batch(payload([call(lambda: (b"x" * (20 << 20), numpy.ones(3 << 20)))]))
    outcome = worker.outcome()
    assert len(outcome[2]) == 1 and len(outcome[3]) < 1000
    ((data, ones),), _ = returned(outcome, [store.folder_below(folder)])
    assert len(data) == 20 << 20 and ones.sum() == 3 << 20
    ones[0] = 2


def test_results_without_room_fail_by_name(worker, folder, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    worker.start_run(1, 1000, str(blocked))
    error = failure(worker, call(numpy.ones, 5000)).error
    assert isinstance(error, OSError) and str(blocked) in str(error)


def test_recalled_batch_is_not_executed(worker, tmp_path):
    started, go = tmp_path / "started", tmp_path / "go"

    def wait():
        started.write_text("")
        while not go.exists():
            time.sleep(0.005)

    first = worker.batch(payload([call(wait)]))
    second = worker.batch(payload([call(abs, -1)]))
    assert until(started.exists)
    worker.send(frames.RECALL, second.to_bytes(8, "little"))
    assert worker.outcome()[:2] == (second, frames.NOT_EXECUTED)
    worker.send(frames.RECALL, first.to_bytes(8, "little"))
    go.write_text("")
    assert worker.outcome()[:2] == (first, frames.COMPLETED)


def test_batches_of_an_ended_run_are_not_executed(worker):
    worker.send(frames.END_RUN, (9).to_bytes(8, "little"))
    kind, body = worker.read(frames.RUN_ENDED)
    assert bytes(body) == (9).to_bytes(8, "little")
    handle = worker.batch(payload([call(abs, -1)]), run=9)
    assert worker.outcome()[:2] == (handle, frames.NOT_EXECUTED)
    assert run(worker, call(abs, -1)) == [1]


def test_shutdown_ends_after_the_last_batch(worker):
    worker.batch(payload([call(abs, -2)]))
    worker.send(frames.SHUTDOWN, b"")
    assert returned(worker.outcome())[0] == [2]
    assert worker.process.wait(20) == 0


def test_end_of_the_silo_ends_the_worker_and_its_children_while_a_call_runs(worker, tmp_path):
    told = tmp_path / "child"

    def hang():
        import subprocess

        child = subprocess.Popen(["sleep", "1000"])
        (tmp_path / "written").write_text(str(child.pid))
        os.rename(tmp_path / "written", told)
        while True:
            pass

    worker.batch(payload([call(hang)]))
    assert until(told.exists)
    child = int(told.read_text())
    worker.process.stdin.close()
    assert worker.process.wait(20) == -signal.SIGKILL
    assert until(lambda: not is_alive(child))


def test_memory_that_is_not_given_back_ends_the_worker(workers):
    worker = workers()
    worker.initialize(growth=50_000_000)
    assert run(worker, call(abs, -1)) == [1]

    def leak():
        import builtins

        builtins.kept = b"x" * 100_000_000
        time.sleep(1.1)

    worker.batch(payload([call(leak)]))
    assert worker.outcome()[1] == frames.COMPLETED
    handle, status, _, _ = worker.outcome()
    assert (handle, status, worker.leaving) == (-1, frames.NOT_EXECUTED, 1)
    assert worker.times[1] - worker.times[2] > 50_000_000


def test_crash_of_native_code_leaves_its_traceback_on_standard_error(worker):
    def crash():
        import ctypes

        ctypes.string_at(0)

    worker.batch(payload([call(crash)]))
    assert worker.read() is None
    assert worker.process.wait(20) == -signal.SIGSEGV
    assert b"Segmentation fault" in worker.process.stderr.read()


def test_a_worker_whose_main_thread_dies_ends_though_a_call_has_left_a_thread(worker, tmp_path):
    go = tmp_path / "go"

    def leave():
        import threading
        import time

        def ring(*_):
            raise RuntimeError("rings between batches")

        def last():
            while not go.exists():
                time.sleep(0.005)
            os.kill(os.getpid(), signal.SIGALRM)
            time.sleep(600)

        signal.signal(signal.SIGALRM, ring)
        threading.Thread(target=last).start()

    assert run(worker, call(leave)) == [None]
    go.write_text("")
    assert worker.process.wait(20) == 1
    assert b"rings between batches" in worker.process.stderr.read()


def test_a_child_that_outlives_the_worker_is_not_it(worker):
    def fork():
        child = os.fork()
        if child == 0:
            print("from the child", flush=True)
            time.sleep(30)
            os._exit(0)
        return child

    (child,) = run(worker, call(fork))
    worker.process.kill()
    started = time.monotonic()
    while worker.read() is not None:
        pass
    assert is_alive(child) and time.monotonic() - started < 15
    os.kill(child, signal.SIGKILL)


def test_a_child_that_is_forked_while_another_thread_logs_can_log(worker):
    def fork():
        import logging
        import threading

        handler = next(handler for handler in logging.getLogger().handlers if hasattr(handler, "_events"))
        holds, lets_go = threading.Event(), threading.Event()

        def hold():
            with handler._events._lock:
                holds.set()
                lets_go.wait(20)

        threading.Thread(target=hold).start()
        holds.wait(20)
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            logging.getLogger().warning("from the child")
            os._exit(0)
        lets_go.set()
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert run(worker, call(fork)) == [0]


def test_a_payload_that_is_none_fails_and_the_worker_lives_on(worker):
    worker.batch(b"\xff" * 100)
    assert worker.outcome()[1] == frames.FAILED
    assert run(worker, call(abs, -1)) == [1]


def test_items_that_are_no_calls_fail_as_in_joblib(worker):
    assert isinstance(failure(worker, 3).error, TypeError)


def test_a_large_batch_both_ways(worker):
    data = os.urandom(3 << 20)
    assert run(worker, call(bytes, data), call(bytes, data)) == [data, data]


def test_many_calls_of_one_function(worker):
    assert run(worker, *[call(abs, -i) for i in range(20_000)]) == list(range(20_000))


@pytest.mark.parametrize("mode", ["r", "c", "r+"])
def test_a_segment_is_in_use_as_long_as_an_array_of_it_is_kept(folder, mode):
    segment = store.write(store.parents(), b"", [bytes(5000)])
    mappings = Mappings()
    kept = numpy.asarray(mappings.base(segment.path, "", mode)[1000:2000])[10:20].view("i2")
    segment.close()
    mappings.forget()
    assert not can_be_taken(segment.path) and not kept.any()
    del kept
    gc.collect()
    assert can_be_taken(segment.path)
    os.unlink(segment.path)


def can_be_taken(path):
    fd = os.open(path, os.O_RDWR)
    try:
        return store._lock(fd, fcntl.F_WRLCK, store._USE, 1)
    finally:
        os.close(fd)
