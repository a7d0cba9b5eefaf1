"""Measures joblib-orleans beside joblib's loky, in turn, and prints a line of JSON for each figure.

    python benchmarks/bench.py [noop] [single] [array] [results] [cold] [--rounds 5]

noop     calls a second of a function that does nothing, automatic batches, 2 workers
single   seconds of one call on a warm pool: at the backend's callback, and through Parallel
array    seconds of 8 calls that sum the same array of 1 GiB
results  GiB a second of 64 results of 16 MiB
cold     seconds from LocalCluster() to its first result, in a new process
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import joblib
import numpy as np
from joblib import Parallel, delayed, parallel_backend

from joblib_orleans import LocalCluster

GIB = 1 << 30
MIB = 1 << 20


def nothing(i: int) -> int:
    return i


def say(name: str, unit: str, **figures: Any) -> None:
    print(json.dumps({"benchmark": name, "unit": unit, **figures, "joblib": joblib.__version__, "python": sys.version.split()[0], "cores": os.cpu_count()}), flush=True)


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turn(work: Callable[[], Any], rounds: int, backends: Any = ("orleans", "loky")) -> Dict[str, List[float]]:
    """Seconds of the work on each backend, one after the other, after one round that is not counted."""
    seconds: Dict[str, List[float]] = {backend: [] for backend in backends}
    for counted in range(rounds + 1):
        for backend in backends:
            with parallel_backend(backend, n_jobs=2):
                spent = timed(work)
            if counted:
                seconds[backend].append(spent)
    return seconds


def compare(name: str, unit: str, seconds: Dict[str, List[float]], figure: Callable[[float], float], higher_is_better: bool) -> None:
    figures = {backend: [figure(second) for second in spent] for backend, spent in seconds.items()}
    medians = {backend: statistics.median(values) for backend, values in figures.items()}
    ratio = medians["orleans"] / medians["loky"]
    say(name, unit, **{backend: round(value, 4) for backend, value in medians.items()}, ratio=round(ratio if higher_is_better else 1 / ratio, 3),
        rounds={backend: [round(value, 4) for value in values] for backend, values in figures.items()})


def noop(rounds: int) -> None:
    count = 1_000_000

    def work() -> None:
        found = Parallel()(delayed(nothing)(i) for i in range(count))
        assert found[-1] == count - 1

    compare("noop", "calls/s", in_turn(work, rounds), lambda seconds: count / seconds, True)
    call = delayed(nothing)

    def once() -> None:
        found = Parallel()(call(i) for i in range(count))
        assert found[-1] == count - 1

    # Without joblib's delayed, which takes 2 microseconds a call on any backend.
    compare("noop, delayed(f) made once", "calls/s", in_turn(once, rounds), lambda seconds: count / seconds, True)


def single(rounds: int) -> None:
    spent = []
    with parallel_backend("orleans", n_jobs=2):
        parallel = Parallel(n_jobs=2)
        with parallel:
            assert parallel(delayed(nothing)(i) for i in range(4)) == list(range(4))
            own = parallel._backend
            from joblib.parallel import BatchedCalls

            for _ in range(200 * rounds):
                done = threading.Event()
                ended = [0.0]

                def callback(future: Any) -> None:
                    ended[0] = time.perf_counter()
                    done.set()

                started = time.perf_counter()
                own.submit(BatchedCalls([(nothing, (1,), {})], own.get_nested_backend()), callback)
                done.wait()
                spent.append(ended[0] - started)
            looped = [timed(lambda: parallel([delayed(nothing)(1)])) for _ in range(50 * rounds)]
    say("single, at the callback", "s", median=round(statistics.median(spent), 6), p95=round(sorted(spent)[len(spent) * 95 // 100], 6), count=len(spent))
    with parallel_backend("loky", n_jobs=2), Parallel(n_jobs=2) as parallel:
        parallel([delayed(nothing)(1)])
        loky = [timed(lambda: parallel([delayed(nothing)(1)])) for _ in range(50 * rounds)]
    say("single, through Parallel", "s", orleans=round(statistics.median(looped), 6), loky=round(statistics.median(loky), 6), count=len(looped))


def array(rounds: int) -> None:
    data = np.ones(GIB // 8)

    def work() -> None:
        assert Parallel(batch_size=1)(delayed(np.sum)(data) for _ in range(8)) == [GIB / 8] * 8

    compare("1 GiB array to 8 calls", "s", in_turn(work, rounds), lambda seconds: seconds, False)


def results(rounds: int) -> None:
    def work() -> None:
        found = Parallel(batch_size=1)(delayed(np.full)(2 * MIB, float(i)) for i in range(64))
        assert [block[-1] for block in found] == list(range(64))

    compare("64 results of 16 MiB", "GiB/s", in_turn(work, rounds), lambda seconds: 1 / seconds, True)


def cold(rounds: int) -> None:
    program = (
        "import time\nfrom joblib_orleans import LocalCluster\nfrom joblib import Parallel, delayed\n"
        "started = time.perf_counter()\n"
        "with LocalCluster(slots=2):\n"
        "    ready = time.perf_counter() - started\n"
        "    Parallel(n_jobs=2, backend='orleans')(delayed(abs)(i) for i in range(2))\n"
        "    print(ready, time.perf_counter() - started)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")])}
    spent = [tuple(map(float, subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True, env=environment).stdout.split())) for _ in range(rounds)]
    say("cold start to first result", "s", median=round(statistics.median(total for _, total in spent), 3), ready=round(statistics.median(ready for ready, _ in spent), 3), rounds=[[round(ready, 3), round(total, 3)] for ready, total in spent])


BENCHMARKS = {"noop": noop, "single": single, "array": array, "results": results, "cold": cold}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)}; default: all")
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    names = chosen.names or list(BENCHMARKS)
    if "cold" in names:
        cold(chosen.rounds)
    if set(names) - {"cold"}:
        with LocalCluster(slots=2):
            for name in names:
                if name != "cold":
                    BENCHMARKS[name](chosen.rounds)


if __name__ == "__main__":
    main()
