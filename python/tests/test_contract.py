"""joblib's contract of a backend, member by member, on a cluster."""

import functools
import io
import logging
import os
import sys
import threading
import time
import types
import warnings
from math import sqrt
from multiprocessing import TimeoutError

import joblib
import numpy
import pytest
from conftest import until
from joblib import Parallel, delayed, effective_n_jobs
from joblib._parallel_backends import FallbackToBackend
from versions import HAS_GENERATORS, HAS_UNORDERED, VERSION, context

import joblib_orleans
from joblib_orleans import OrleansBackend, register_orleans
from joblib_orleans.run import _live_runs

needs_generators = pytest.mark.skipif(not HAS_GENERATORS, reason="joblib before 1.3 has no generators")
needs_unordered = pytest.mark.skipif(not HAS_UNORDERED, reason="joblib before 1.4 has no generator_unordered")


def sleep_and_return(value, seconds):
    time.sleep(seconds)
    return value


@pytest.mark.parametrize("n_jobs", [2, -1, 4])
def test_a_list_comes_in_order(cluster, n_jobs):
    with context("orleans", n_jobs=n_jobs):
        assert Parallel()(delayed(sqrt)(i) for i in range(200)) == [sqrt(i) for i in range(200)]


def test_parallel_takes_the_backend_by_name_and_as_an_object(cluster):
    assert Parallel(n_jobs=2, backend="orleans")(delayed(sqrt)(i) for i in range(5)) == [sqrt(i) for i in range(5)]
    assert Parallel(n_jobs=2, backend=OrleansBackend(address=cluster.address))(delayed(sqrt)(i) for i in range(5)) == [sqrt(i) for i in range(5)]


def test_address_may_come_from_the_environment(cluster, monkeypatch):
    monkeypatch.setenv("JOBLIB_ORLEANS_CLUSTER", "grpc://" + cluster.address)
    register_orleans()
    assert Parallel(n_jobs=2, backend="orleans")(delayed(os.getpid)() for _ in range(2))[0] != os.getpid()


def test_addresses_that_do_not_answer_are_passed_over(cluster):
    register_orleans(["127.0.0.1:1", cluster.address])
    assert Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(3)) == [0, 1, 2]


def test_make_default_makes_loops_use_it(cluster, monkeypatch):
    monkeypatch.setattr(joblib.parallel, "DEFAULT_BACKEND", joblib.parallel.DEFAULT_BACKEND)
    register_orleans(cluster.address, make_default=True)
    assert os.getpid() not in Parallel(n_jobs=2)(delayed(os.getpid)() for _ in range(4))


def test_effective_n_jobs_counts_the_clusters_slots(cluster):
    with context("orleans", n_jobs=-1):
        assert effective_n_jobs() == 2
        assert effective_n_jobs(-1) == 2 and effective_n_jobs(5) == 5
    backend = OrleansBackend(address=cluster.address)
    assert backend.effective_n_jobs(-100) == 2 and backend.effective_n_jobs(None) == 2
    with pytest.raises(ValueError, match="n_jobs == 0"):
        backend.effective_n_jobs(0)


@pytest.mark.skipif(VERSION < (1, 3), reason="joblib before 1.3 has no default_n_jobs")
def test_n_jobs_that_nobody_says_is_the_whole_cluster(cluster):
    parallel = Parallel(backend="orleans")
    assert parallel.n_jobs == -1
    assert os.getpid() not in parallel(delayed(os.getpid)() for _ in range(2))


def test_one_job_runs_here(cluster):
    with context("orleans", n_jobs=1):
        assert Parallel()(delayed(os.getpid)() for _ in range(3)) == [os.getpid()] * 3


def test_two_workers_work_at_once(cluster):
    # Each of the two calls waits for the other.
    def meet(mine, other):
        open(mine, "w").close()
        end = time.monotonic() + 20
        while not os.path.exists(other):
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        a, b = os.path.join(folder, "a"), os.path.join(folder, "b")
        assert Parallel(n_jobs=2, backend="orleans")([delayed(meet)(a, b), delayed(meet)(b, a)]) == [True, True]


@pytest.mark.parametrize("pre_dispatch", ["all", 1, "3 * n_jobs"])
@pytest.mark.parametrize("batch_size", ["auto", 1, 7])
def test_pre_dispatch_and_batch_size(cluster, pre_dispatch, batch_size):
    with context("orleans", n_jobs=2):
        assert Parallel(pre_dispatch=pre_dispatch, batch_size=batch_size)(delayed(abs)(-i) for i in range(60)) == list(range(60))


def test_the_iterator_is_read_no_further_than_pre_dispatch(cluster):
    read = []

    def items():
        for i in range(10):
            read.append(i)
            yield delayed(sleep_and_return)(i, 0.3 if i == 0 else 0)

    with Parallel(n_jobs=2, backend="orleans", pre_dispatch=3, batch_size=1) as parallel:
        assert parallel(items()) == list(range(10))
    assert read == list(range(10))


def test_automatic_batches_grow(cluster):
    backend = OrleansBackend(address=cluster.address)
    sizes = []
    complete = backend.batch_completed
    backend.batch_completed = lambda size, seconds: (sizes.append(size), complete(size, seconds))
    Parallel(n_jobs=2, backend=backend)(delayed(abs)(i) for i in range(5000))
    assert max(sizes) > 8
    assert backend.compute_batch_size() == 1, "statistics do not survive a call"


def test_empty_input_is_an_empty_list(cluster):
    assert Parallel(n_jobs=2, backend="orleans")(iter(())) == []
    with Parallel(n_jobs=2, backend="orleans") as parallel:
        assert parallel([]) == [] and parallel([delayed(abs)(-1)]) == [1]


def test_managed_calls_share_a_run(cluster):
    with Parallel(n_jobs=2, backend="orleans") as parallel:
        first = parallel(delayed(abs)(-i) for i in range(3))
        workers = parallel._backend._workers
        assert parallel(delayed(abs)(-i) for i in range(3)) == first == [0, 1, 2]
        assert parallel._backend._workers is workers
    assert parallel._backend._workers is None
    assert parallel(delayed(abs)(-i) for i in range(3)) == first


def test_lambdas_closures_partials_methods_and_main_functions_travel(cluster):
    seven = 7

    class Local:
        def __init__(self, by):
            self.by = by

        def times(self, x):
            return x * self.by

    calls = [delayed(lambda x: x + seven)(1), delayed(functools.partial(pow, 2))(5), delayed(Local(3).times)(4), delayed(Local)(2)]
    a, b, c, d = Parallel(n_jobs=2, backend="orleans")(calls)
    assert (a, b, c) == (8, 32, 12) and d.times(5) == 10


@needs_generators
def test_generator_yields_in_order_as_results_come(cluster):
    found = Parallel(n_jobs=2, backend="orleans", return_as="generator")(delayed(abs)(-i) for i in range(20))
    assert next(found) == 0 and list(found) == list(range(1, 20))


@needs_unordered
def test_unordered_generator_yields_the_fast_first(cluster):
    calls = [delayed(sleep_and_return)("slow", 2), *[delayed(sleep_and_return)("fast", 0) for _ in range(6)]]
    found = Parallel(n_jobs=2, backend="orleans", return_as="generator_unordered", batch_size=1, pre_dispatch="all")(calls)
    assert list(found) == ["fast"] * 6 + ["slow"]


@needs_generators
def test_generator_that_is_dropped_ends_its_run_and_no_other(cluster):
    with context("orleans", n_jobs=2):
        dropped = Parallel(return_as="generator", batch_size=1, pre_dispatch="all")(delayed(sleep_and_return)(i, 0 if i == 0 else 5) for i in range(50))
        assert next(dropped) == 0
        other = Parallel(return_as="generator", batch_size=1, pre_dispatch="all")(delayed(sleep_and_return)(i, 0.01) for i in range(5))
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            started = time.monotonic()
            dropped.close()
            assert time.monotonic() - started < 5
        assert any("cancelled" in str(warning.message) for warning in warned)
        assert list(other) == list(range(5))
    assert until(lambda: not _live_runs)


@needs_generators
def test_a_parallel_that_is_running_refuses_to_run_again(cluster):
    parallel = Parallel(n_jobs=2, backend="orleans", return_as="generator")
    running = parallel(delayed(abs)(-i) for i in range(20))
    with pytest.raises(RuntimeError, match="already running"):
        parallel(delayed(abs)(-i) for i in range(20))
    assert len(list(running)) == 20


def test_timeout_is_joblibs(cluster):
    assert Parallel(n_jobs=2, backend="orleans", timeout=20)(delayed(sleep_and_return)(i, 0.01) for i in range(10)) == list(range(10))
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        Parallel(n_jobs=2, backend="orleans", timeout=0.3)(delayed(sleep_and_return)(i, 30) for i in range(4))
    assert time.monotonic() - started < 15
    assert Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(3)) == [0, 1, 2]


def fail_at(i, at):
    if i == at:
        raise ValueError(f"no {i}")
    return i


def test_an_error_is_the_callers_own_with_the_workers_traceback(cluster):
    with pytest.raises(ValueError, match="no 7") as raised:
        Parallel(n_jobs=2, backend="orleans", batch_size=3)(delayed(fail_at)(i, at=7) for i in range(30))
    assert "fail_at" in str(raised.value.__cause__) and "raise ValueError" in str(raised.value.__cause__)
    assert raised.value.joblib_call_index == 7 and raised.value.joblib_call == "fail_at(7, at=7)"


def test_a_managed_parallel_works_after_an_error(cluster):
    with Parallel(n_jobs=2, backend="orleans") as parallel:
        assert parallel(delayed(abs)(-i) for i in range(3)) == [0, 1, 2]
        workers = parallel._backend._workers
        with pytest.raises(ValueError):
            parallel(delayed(fail_at)(i, at=3) for i in range(30))
        assert parallel._backend._workers is not workers
        assert parallel(delayed(abs)(-i) for i in range(3)) == [0, 1, 2]


def test_a_failed_call_leaves_no_batch_to_the_next(cluster):
    # joblib cuts n_jobs batches at once and sends one: the others are still there when the call fails.
    with Parallel(n_jobs=4, backend="orleans", batch_size=2) as parallel:
        for _ in range(5):
            with pytest.raises(ValueError):
                parallel(delayed(fail_at)(i, at=1) for i in range(100))
            assert parallel(delayed(abs)(-i) for i in range(5)) == list(range(5))


def test_an_error_aborts_what_is_running(cluster):
    started = time.monotonic()
    with pytest.raises(TypeError):
        Parallel(n_jobs=2, backend="orleans", batch_size=1)(delayed(time.sleep)(seconds) for seconds in ["a"] + [10] * 20)
    assert time.monotonic() - started < 20
    started = time.monotonic()
    assert Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(3)) == [0, 1, 2]
    assert time.monotonic() - started < 9, "the slots are free again"


def test_keyboard_interrupt_of_a_call_reaches_the_caller(cluster):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Parallel(n_jobs=2, backend="orleans")(delayed(interrupt)() for _ in range(3))


def test_an_error_of_the_iterator_reaches_the_caller(cluster):
    def items():
        for i in range(30):
            if i == 20:
                raise LookupError("no more")
            yield delayed(abs)(i)

    with pytest.raises(LookupError, match="no more"):
        Parallel(n_jobs=2, backend="orleans", batch_size=1)(items())


def test_nested_loops_use_threads_of_the_worker(cluster):
    def outer():
        from joblib.parallel import get_active_backend

        backend, _ = get_active_backend()
        pids = Parallel(n_jobs=2)(delayed(os.getpid)() for _ in range(4))
        return type(backend).__name__, set(pids) == {os.getpid()}

    assert set(Parallel(n_jobs=2, backend="orleans")(delayed(outer)() for _ in range(4))) == {("ThreadingBackend", True)}


def test_nested_loop_that_names_orleans_warns_and_ends(cluster):
    def outer():
        return sum(Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(4)))

    with pytest.warns(UserWarning, match="threads of its worker"):
        assert Parallel(n_jobs=2, backend="orleans")(delayed(outer)() for _ in range(4)) == [6] * 4


def test_initializer_runs_once_in_each_worker(cluster):
    def initialize(value):
        import builtins

        builtins.initialized_with = (*getattr(builtins, "initialized_with", ()), value)

    def look():
        return initialized_with  # noqa: F821

    with context("orleans", n_jobs=2, initializer=initialize, initargs=("x",)):
        first = Parallel()(delayed(look)() for _ in range(8))
        second = Parallel()(delayed(look)() for _ in range(8))
    assert set(first + second) == {("x",)}
    if VERSION >= (1, 5):
        assert set(Parallel(n_jobs=2, backend="orleans", initializer=initialize, initargs=("y",))(delayed(look)() for _ in range(8))) == {("y",)}


def test_inner_max_num_threads_is_what_calls_see(cluster):
    def look():
        return [os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")]

    with context("orleans", n_jobs=2, inner_max_num_threads=3):
        assert Parallel()(delayed(look)() for _ in range(2)) == [["3"] * 3] * 2


def test_threads_are_capped_unless_the_user_says(cluster):
    def look():
        return int(os.environ["OMP_NUM_THREADS"])

    assert set(Parallel(n_jobs=2, backend="orleans")(delayed(look)() for _ in range(2))) == {max((os.cpu_count() or 1) // 2, 1)}


def test_what_calls_print_log_and_warn_of_comes_here(cluster, capsys, caplog):
    def speak(i):
        print("out", i)
        print("err", i, file=sys.stderr)
        logging.getLogger("my.module").warning("log %d", i)
        logging.getLogger("my.module").debug("never")
        warnings.warn(f"warn {i}", RuntimeWarning)

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        Parallel(n_jobs=2, backend="orleans")(delayed(speak)(i) for i in range(4))
    said = capsys.readouterr()
    assert sorted(said.out.splitlines()) == [f"out {i}" for i in range(4)]
    assert sorted(line for line in said.err.splitlines() if line.startswith("err")) == [f"err {i}" for i in range(4)]
    assert sorted(record.getMessage() for record in caplog.records if record.name == "my.module") == [f"log {i}" for i in range(4)]
    found = [warning for warning in warned if issubclass(warning.category, RuntimeWarning)]
    assert {str(warning.message) for warning in found} == {f"warn {i}" for i in range(4)} and found[0].filename == __file__


def test_progress_lines_are_joblibs(cluster, capsys):
    Parallel(n_jobs=2, backend="orleans", verbose=11, batch_size=1)(delayed(abs)(i) for i in range(6))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "[Parallel(n_jobs=2)]: Using backend OrleansBackend with 2 concurrent workers."
    assert any("Done" in line and "| elapsed:" in line for line in lines[1:]) and lines[-1].endswith("finished")


def test_tqdm_counts(cluster):
    tqdm = pytest.importorskip("tqdm")
    shown = io.StringIO()
    assert Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in tqdm.tqdm(range(30), file=shown, mininterval=0)) == list(range(30))
    assert "30/30" in shown.getvalue()


def test_two_parallels_at_once(cluster):
    found = {}

    def loop(name):
        found[name] = Parallel(n_jobs=2, backend="orleans", batch_size=2)(delayed(sleep_and_return)((name, i), 0.002) for i in range(60))

    threads = [threading.Thread(target=loop, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {name: [(name, i) for i in range(60)] for name in "abc"}


def test_of_two_parallels_that_take_one_object_at_once_one_gets_a_copy():
    backend = OrleansBackend(address="127.0.0.1:1")
    both = threading.Barrier(2)

    class Meeting:
        """Answers when both ask."""

        def cluster(self):
            both.wait(20)
            return types.SimpleNamespace(slots=2)

    backend._connection = Meeting
    found = []

    def configure(parallel):
        try:
            found.append(backend.configure(2, parallel))
        except FallbackToBackend as fallback:
            found.append(type(fallback.backend))

    parallels = [Parallel(backend="threading"), Parallel(backend="threading")]
    threads = [threading.Thread(target=configure, args=(parallel,)) for parallel in parallels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 2 and set(found) == {2, OrleansBackend}


def test_nothing_is_left_behind(cluster):
    Parallel(n_jobs=2, backend="orleans", max_nbytes=1000)(delayed(numpy.sum)(numpy.ones(5000)) for i in range(4))
    with pytest.raises(ValueError):
        Parallel(n_jobs=2, backend="orleans", max_nbytes=1000)(delayed(fail_at)(i, at=3) for i in range(30))

    def left():
        return [thread.name for thread in threading.enumerate() if thread.name.startswith("joblib-orleans-run")]

    assert until(lambda: not left() and not _live_runs)
    folder = joblib_orleans.store.folder_below("/dev/shm") if hasattr(joblib_orleans, "store") else f"/dev/shm/orleans-joblib-{os.geteuid()}"
    assert until(lambda: not os.path.isdir(folder) or not [name for name in os.listdir(folder) if name.endswith(".npy") or name.startswith("t-")])


def test_backend_is_picklable(cluster):
    import pickle

    backend = pickle.loads(pickle.dumps(OrleansBackend(nesting_level=1, address=cluster.address)))
    assert isinstance(backend, OrleansBackend) and backend.nesting_level == 1


def test_require_sharedmem_is_refused(cluster):
    with pytest.raises(ValueError, match="shared memory"):
        Parallel(n_jobs=2, backend="orleans", require="sharedmem")
