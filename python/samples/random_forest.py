"""scikit-learn's random forest and its cross-validation on a cluster. The data are put into shared memory once, whatever the number of trees.

    python samples/random_forest.py [--address silo:30443] [--rows 20000]
"""

import argparse
import time

from joblib import parallel_backend
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

from joblib_orleans import LocalCluster, register_orleans


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--address", help="gateways of a cluster, as host:port,host:port; default: one that is started on this machine")
    options.add_argument("--rows", type=int, default=20_000)
    chosen = options.parse_args()
    X, y = make_classification(chosen.rows, 20, n_informative=10, random_state=0)

    cluster = None if chosen.address else LocalCluster()
    if chosen.address:
        register_orleans(chosen.address)
    started = time.perf_counter()
    # Forests grow their trees on threads: in a loop on a cluster each fit is one call, and its trees use the threads of its worker.
    with parallel_backend("orleans", n_jobs=-1):
        scores = cross_val_score(RandomForestClassifier(n_estimators=50, random_state=0), X, y, cv=5)
    print(f"accuracy {scores.mean():.4f} +- {scores.std():.4f}, {len(scores)} forests of 50 trees on {X.nbytes / 1e6:.0f} MB in {time.perf_counter() - started:.2f} s")
    if cluster is not None:
        cluster.close()


if __name__ == "__main__":
    main()
