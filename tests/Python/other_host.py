"""A loop over a large array, and one with large results, whose workers share no memory with this process. Argument: the gateway's address."""
import os
import sys

import numpy as np
from joblib import Parallel, delayed, parallel_backend

from joblib_orleans import register_orleans


def look(array, i):
    return type(array).__name__, float(array.sum()) + i, os.readlink("/proc/self/ns/mnt")


def fill(i):
    return np.full(1_000_000, i, dtype="f8")


register_orleans(sys.argv[1])
array = np.arange(2_000_000, dtype="f8")
with parallel_backend("orleans"):
    looks = Parallel(n_jobs=-1, batch_size=1)(delayed(look)(array, i) for i in range(6))
    filled = Parallel(n_jobs=-1, batch_size=1)(delayed(fill)(i) for i in range(6))

assert [kind for kind, _, _ in looks] == ["memmap"] * 6, looks
assert [total for _, total, _ in looks] == [array.sum() + i for i in range(6)], looks
assert os.readlink("/proc/self/ns/mnt") not in {files for _, _, files in looks}, looks
assert all(result.shape == (1_000_000,) and (result == i).all() for i, result in enumerate(filled))
filled[0][0] = 7
print("6 looks and 6 results of another host")
