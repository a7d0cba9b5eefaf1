"""A loop over the columns and days of a table with pandas and numpy: each call makes features of one day, and brings a table back.

    python samples/features.py [--address silo:30443] [--days 120]
"""

import argparse
import time

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, parallel_backend

from joblib_orleans import LocalCluster, register_orleans


def ticks(days: int, rows: int = 20_000) -> np.ndarray:
    """Prices of four instruments, a row a tick: shape [days, rows, 4]."""
    steps = np.random.default_rng(0).normal(0, 0.01, size=(days, rows, 4))
    return 100 * np.exp(np.cumsum(steps, axis=1))


def features(prices: np.ndarray, day: int) -> pd.DataFrame:
    # A view of the array that all calls share, mapped read-only: nothing is copied.
    frame = pd.DataFrame(prices[day], columns=list("abcd"))
    changes = np.log(frame).diff()
    return pd.DataFrame(
        {
            "day": day,
            "volatility": changes.std() * np.sqrt(len(frame)),
            "skew": changes.skew(),
            "drawdown": (frame / frame.cummax()).min() - 1,
            "autocorrelation": [changes[name].autocorr() for name in frame],
        }
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--address", help="gateways of a cluster, as host:port,host:port; default: one that is started on this machine")
    options.add_argument("--days", type=int, default=120)
    chosen = options.parse_args()
    prices = ticks(chosen.days)

    cluster = None if chosen.address else LocalCluster()
    if chosen.address:
        register_orleans(chosen.address)
    started = time.perf_counter()
    with parallel_backend("orleans", n_jobs=-1):
        table = pd.concat(Parallel()(delayed(features)(prices, day) for day in range(chosen.days)))
    print(table.groupby(level=0).mean().round(4))
    print(f"{chosen.days} days, {prices.nbytes / 1e6:.0f} MB, in {time.perf_counter() - started:.2f} s")
    if cluster is not None:
        cluster.close()


if __name__ == "__main__":
    main()
