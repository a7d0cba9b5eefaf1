"""``python -m joblib_orleans.worker``."""

from joblib_orleans.worker.loop import main

if __name__ == "__main__":
    main()
