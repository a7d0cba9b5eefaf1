"""``python -m joblib_orleans.worker``; with ``--version`` only says on one line what it is."""

import sys

if __name__ == "__main__":
    if sys.argv[1:] == ["--version"]:
        from joblib_orleans.worker.version import describe, versions

        print(describe(versions()))
    else:
        from joblib_orleans.worker import loop

        loop.main()
