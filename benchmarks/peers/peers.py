#!/usr/bin/python3
"""joblib's own backends under the workloads of benchmarks/EndToEnd, as peers for it.

    peers.py WORKLOAD --peer joblib-threading|joblib-loky|dask [--calls N] [--n-jobs N] [--runs N] [--batch-size N|auto]

prints one JSON line in the form of benchmarks/EndToEnd. With --serve it keeps its workers, and answers each line "run" on standard input with one run's numbers,
so that a caller can run several sides in turn.
"""
import argparse
import inspect
import json
import math
import os
import statistics
import sys
import time

UNITS = {"noop": "calls/s", "stream": "calls/s", "latency": "us", "scaling": "efficiency", "slots": "efficiency", "array-1g": "ratio to a plain write", "memmap-in": "ms over an empty loop", "arrays-64x2m": "GiB/s", "results-64x16m": "GiB/s", "first-result": "s", "probe": None}
PEERS = ["joblib-threading", "joblib-loky", "dask"]
CALL_SECONDS = 0.05
SLOTS = 64


class Skipped(Exception):
    pass


def no_op(i):
    return i


def spin(steps):
    x = 88172645463325252
    for _ in range(steps):
        x = (x * 1103515245 + 12345) & 0xFFFFFFFF
    return x


def sleep():
    time.sleep(CALL_SECONDS)


def timed(function):
    began = time.perf_counter()
    result = function()
    return time.perf_counter() - began, result


class Session:
    """A joblib Parallel with its workers up."""

    def __init__(self, peer, n_jobs, slots, batch_size):
        try:
            import joblib
        except ImportError:
            raise Skipped("the Python module joblib is absent")
        self.versions = {"joblib": joblib.__version__}
        self.joblib = joblib
        self.n_jobs = n_jobs
        self.closing = []
        self.loky = peer == "joblib-loky"
        backend = peer.replace("joblib-", "")
        if peer == "dask":
            try:
                import distributed
            except ImportError:
                raise Skipped("the Python module distributed is absent")
            self.versions["distributed"] = distributed.__version__
            # One process per core, as dask does by itself; slots are threads of one process.
            workers = {"n_workers": 1, "threads_per_worker": n_jobs} if slots else {"n_workers": n_jobs, "threads_per_worker": 1}
            cluster = distributed.LocalCluster(dashboard_address=None, silence_logs=50, **workers)
            client = distributed.Client(cluster)
            self.closing = [client, cluster]
        self.config = joblib.parallel_backend(backend, n_jobs=n_jobs)
        self.config.__enter__()
        self.arguments = {"batch_size": batch_size}
        self.parallel = joblib.Parallel(n_jobs=n_jobs, **self.arguments)
        self.parallel.__enter__()

    def __call__(self, calls):
        return self.parallel(calls)

    def delayed(self, function):
        return self.joblib.delayed(function)

    def close(self):
        self.parallel.__exit__(None, None, None)
        if self.loky:
            # loky's own end at exit waits for ever with 64 workers (joblib 1.2, Python 3.11: queue.Full in shutdown_workers).
            from joblib.externals.loky import get_reusable_executor

            get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)
        for closing in self.closing:
            closing.close()


def run_noop(session, calls):
    delayed = session.delayed(no_op)
    seconds, results = timed(lambda: session(delayed(i) for i in range(calls)))
    assert results[-1] == calls - 1 and len(results) == calls
    return {"value": calls / seconds}


def run_stream(session, calls):
    delayed = session.delayed(no_op)
    parallel = session.joblib.Parallel(n_jobs=session.n_jobs, return_as="generator", **session.arguments)
    seconds, read = timed(lambda: sum(1 for _ in parallel(delayed(i) for i in range(calls))))
    assert read == calls
    return {"value": calls / seconds}


def run_latency(session, calls):
    one = [session.delayed(no_op)(1)]
    samples = sorted(timed(lambda: session(one))[0] * 1e6 for _ in range(calls))
    return {"value": statistics.median(samples), "p99": samples[max(0, math.ceil(0.99 * calls) - 1)]}


def spin_steps():
    steps = 500_000
    return int(steps * CALL_SECONDS / min(timed(lambda: spin(steps))[0] for _ in range(5)))


def run_scaling(session, calls, steps):
    delayed = session.delayed(spin)

    def sequential(count):
        for _ in range(count):
            spin(steps)

    before, _ = timed(lambda: sequential(calls // 2))
    parallel, _ = timed(lambda: session(delayed(steps) for _ in range(calls)))
    after, _ = timed(lambda: sequential(calls - calls // 2))
    total = before + after
    return {"value": total / parallel / session.n_jobs, "parallel_s": parallel, "sequential_s": total, "call_ms": total * 1000 / calls}


def run_slots(session, calls):
    real = statistics.median(timed(sleep)[0] for _ in range(10))
    delayed = session.delayed(sleep)
    seconds, _ = timed(lambda: session(delayed() for _ in range(calls)))
    rounds = math.ceil(calls / session.n_jobs)
    return {
        "value": rounds * CALL_SECONDS / seconds,
        "time_s": seconds,
        "sleep_ms": real * 1000,
        "efficiency_of_real_sleep": rounds * real / seconds,
    }


def once(session):
    """A Parallel of its own: joblib writes an array once for each, and a run is to be a first one."""
    return session.joblib.Parallel(n_jobs=session.n_jobs, **session.arguments)


def element(array, i):
    return array[i]


def total(array, _):
    return array.sum()


def ends(array):
    return array[0] + array[-1]


def filled(i):
    import numpy

    return numpy.full(2 << 20, i, dtype=float)


def write(array):
    path = f"/dev/shm/joblib-benchmark-{os.getpid()}"
    try:
        seconds, _ = timed(lambda: array.tofile(path))
        return seconds
    finally:
        os.unlink(path)


def proportional_bytes():
    """What this process and its children occupy, each page shared out among those that have it."""
    found = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat:
                parent = int(stat.read().rsplit(")", 1)[1].split()[1])
            if os.getpid() in (int(name), parent):
                with open(f"/proc/{name}/smaps_rollup") as rollup:
                    found += sum(int(line.split()[1]) << 10 for line in rollup if line.startswith("Pss:"))
        except OSError:
            pass
    return found


def run_large_array(session, array):
    delayed = session.delayed
    array[int(time.monotonic_ns() % 1000)] += 1
    for _ in range(2):
        write(array)
    before = write(array)
    once(session)(delayed(no_op)(i) for i in range(session.n_jobs))
    first, _ = timed(lambda: once(session)(delayed(element)(array, i) for i in range(8)))
    memory = proportional_bytes()
    plain = (before + write(array)) / 2
    kept = once(session)
    kept.__enter__()
    kept(delayed(total)(array, i) for i in range(8))
    again = statistics.median(timed(lambda: kept(delayed(total)(array, i) for i in range(8)))[0] for _ in range(5))
    kept.__exit__(None, None, None)
    threads = session.joblib.Parallel(n_jobs=session.n_jobs, prefer="threads", backend="threading")
    same = statistics.median(timed(lambda: threads(delayed(total)(array, i) for i in range(8)))[0] for _ in range(5))
    return {
        "value": first / plain,
        "plain_write_s": plain,
        "first_run_s": first,
        "same_array_ms": again * 1000,
        "threads_ms": same * 1000,
        "same_array_extra_ms": (again - same) * 1000,
        "memory_copies": memory / array.nbytes,
    }


def run_mapped_array(session, array):
    delayed = session.delayed
    empty = statistics.median(timed(lambda: session(delayed(no_op)(i) for i in range(8)))[0] for _ in range(20))
    mapped = statistics.median(timed(lambda: session(delayed(element)(array, i) for i in range(8)))[0] for _ in range(20))
    assert all(one == array.size for one in session(delayed(total)(array, i) for i in range(8)))
    return {"value": (mapped - empty) * 1000, "empty_ms": empty * 1000}


def run_many_arrays(session, arrays):
    for array in arrays:
        array += 1
    for _ in range(2):
        before = sum(write(array) for array in arrays)
    once(session)(session.delayed(no_op)(i) for i in range(4 * session.n_jobs))
    seconds, _ = timed(lambda: once(session)(session.delayed(ends)(array) for array in arrays))
    plain = (before + sum(write(array) for array in arrays)) / 2
    return {"value": sum(array.nbytes for array in arrays) / 2**30 / seconds, "ratio_to_plain_writes": plain / seconds, "plain_writes_s": plain}


def run_large_results(session):
    import numpy

    session(session.delayed(no_op)(i) for i in range(session.n_jobs))
    numpy.ones(64 * (2 << 20))
    seconds, results = timed(lambda: session(session.delayed(filled)(i) for i in range(64)))
    assert all(result[-1] == i for i, result in enumerate(results))
    return {"value": sum(result.nbytes for result in results) / 2**30 / seconds}


def prepare_arrays(workload, session):
    try:
        import numpy
    except ImportError:
        raise Skipped("the Python module numpy is absent")
    if workload == "results-64x16m":
        return lambda: run_large_results(session)
    if workload == "arrays-64x2m":
        arrays = [numpy.full(256 << 10, float(i)) for i in range(64)]
        return lambda: run_many_arrays(session, arrays)
    if workload == "array-1g":
        array = numpy.arange(128 << 20, dtype=float) % 1000
        return lambda: run_large_array(session, array)
    path = f"/dev/shm/joblib-benchmark-{os.getpid()}.npy"
    session.closing.append(Unlinked(path))
    numpy.lib.format.open_memmap(path, "w+", float, (128 << 20,))[:] = 1
    array = numpy.load(path, mmap_mode="r")
    return lambda: run_mapped_array(session, array)


class Unlinked:
    def __init__(self, path):
        self.path = path

    def close(self):
        os.unlink(self.path)


def default_calls(workload, peer, n_jobs):
    if workload in ("noop", "stream"):
        return 100_000 if peer == "joblib-loky" else 20_000
    if workload == "latency":
        return 200 if peer == "dask" else 2_000
    return 40 * n_jobs


def prepare(workload, peer, calls, session):
    if workload == "stream" and "return_as" not in inspect.signature(session.joblib.Parallel.__init__).parameters:
        raise Skipped(f"joblib {session.joblib.__version__} has no return_as")
    if workload == "scaling":
        steps = spin_steps()
        return lambda: run_scaling(session, calls, steps)
    if workload in ("array-1g", "memmap-in", "arrays-64x2m", "results-64x16m"):
        return prepare_arrays(workload, session)
    run = {"noop": run_noop, "stream": run_stream, "latency": run_latency, "slots": run_slots}[workload]
    return lambda: run(session, calls)


def first_result(peer, n_jobs):
    entered = time.monotonic_ns()
    session = Session(peer, n_jobs, False, "auto")
    ready = registered = time.monotonic_ns()
    assert session([session.delayed(no_op)(42)]) == [42]
    print("first-result", entered, ready, registered, time.monotonic_ns(), flush=True)
    session.close()


def probe(peer):
    """Says whether a peer could run at all, without starting it."""
    import importlib.util

    for module in ["joblib"] + (["distributed"] if peer == "dask" else []):
        if importlib.util.find_spec(module) is None:
            raise Skipped(f"the Python module {module} is absent")


def rounded(value):
    return float(f"{value:.6g}") if isinstance(value, float) else value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=UNITS)
    parser.add_argument("--peer", choices=PEERS, required=True)
    parser.add_argument("--calls", type=int)
    parser.add_argument("--n-jobs", type=int)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--batch-size", default="auto")
    parser.add_argument("--serve", action="store_true")
    options = parser.parse_args()
    n_jobs = options.n_jobs or (SLOTS if options.workload == "slots" else os.cpu_count())
    batch_size = options.batch_size if options.batch_size == "auto" else int(options.batch_size)
    calls = options.calls or default_calls(options.workload, options.peer, n_jobs)

    # Results only: what the libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def answer(**fields):
        print(json.dumps({name: rounded(value) for name, value in fields.items()}), file=answers, flush=True)

    line = {"workload": options.workload, "backend": options.peer}
    session = None
    try:
        if options.workload == "first-result":
            os.dup2(answers.fileno(), 1)
            first_result(options.peer, n_jobs)
            return
        if options.workload == "probe":
            probe(options.peer)
            answer()
            return
        session = Session(options.peer, n_jobs, options.workload == "slots", batch_size)
        run = prepare(options.workload, options.peer, calls, session)
        if options.serve:
            answer(calls=calls, n_jobs=n_jobs, **session.versions)
            for _ in sys.stdin:
                answer(**run())
        else:
            run()
            runs = [run() for _ in range(options.runs)]
            values = [each.pop("value") for each in runs]
            details = {name: statistics.median(each[name] for each in runs) for name in runs[0]}
            answer(
                **line,
                unit=UNITS[options.workload],
                median=statistics.median(values),
                min=min(values),
                max=max(values),
                runs=len(values),
                calls=calls,
                n_jobs=n_jobs,
                **session.versions,
                **details,
            )
    except Skipped as reason:
        answer(**line, skipped=str(reason))
    finally:
        if session is not None:
            session.close()


if __name__ == "__main__":
    main()
