"""scikit-learn's grid search over the handwritten digits, on a cluster: unchanged but for the two lines that are marked.

    python samples/grid_search.py                       # a cluster on this machine
    python samples/grid_search.py --address silo:30443  # one that is there
    python samples/grid_search.py --backend loky        # this machine without a cluster
"""

import argparse
import time

from joblib import parallel_backend
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from joblib_orleans import LocalCluster, register_orleans


def search() -> GridSearchCV:
    X, y = load_digits(return_X_y=True)
    grid = {"C": [0.1, 1, 10, 100], "gamma": [1e-2, 1e-3, 1e-4]}
    return GridSearchCV(SVC(), grid, cv=5).fit(X, y)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--address", help="gateways of a cluster, as host:port,host:port; default: one that is started on this machine")
    options.add_argument("--backend", default="orleans")
    chosen = options.parse_args()

    cluster = None
    if chosen.backend == "orleans":
        # The first line: where the cluster is.
        cluster = None if chosen.address else LocalCluster()
        if chosen.address:
            register_orleans(chosen.address)
    started = time.perf_counter()
    # The second line: loops run there.
    with parallel_backend(chosen.backend, n_jobs=-1):
        found = search()
    seconds = time.perf_counter() - started
    for rank, index in enumerate(found.cv_results_["rank_test_score"].argsort()[:5], 1):
        print(f"{rank}  {found.cv_results_['mean_test_score'][index]:.6f}  {found.cv_results_['params'][index]}")
    print(f"{len(found.cv_results_['params']) * 5} fits in {seconds:.2f} s on {chosen.backend}")
    if cluster is not None:
        cluster.close()


if __name__ == "__main__":
    main()
