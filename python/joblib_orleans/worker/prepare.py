"""What a client has its workers take in before their first batch: versions, where its modules are, its initializer."""

import json
import os
import socket
import sys
import traceback
from typing import Any, Callable, List, Optional, Tuple

import cloudpickle

from .. import wire
from .version import versions


def minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def write(initializer: Optional[Callable[..., Any]], arguments: Tuple[Any, ...]) -> bytes:
    """At the client: the bytes of this process and of an initializer. Equal bytes share workers.

    Raises what cloudpickle raises when the initializer cannot be pickled.
    """
    try:
        folder = os.getcwd()
    except OSError:
        folder = ""
    said = {**versions(), "path": [os.path.abspath(entry) for entry in sys.path if entry or folder], "folder": folder}
    pickled = b"" if initializer is None else cloudpickle.dumps((initializer, tuple(arguments)), protocol=5)
    return wire.pack([json.dumps(said, sort_keys=True).encode(), pickled])


class PrepareError(Exception):
    """This worker cannot serve the client; the text is for people."""


def here() -> str:
    return f"the worker's interpreter '{sys.executable}' on host '{socket.gethostname()}'"


def take(body: Any) -> List[str]:
    """In the worker: takes it in.

    Returns what the client's user should be told. Raises PrepareError.
    """
    head, pickled = wire.unpack(body)
    theirs = json.loads(bytes(head))
    ours = versions()
    if theirs["implementation"] != ours["implementation"] or minor(theirs["python"]) != minor(ours["python"]):
        raise PrepareError(
            f"This program runs on {theirs['implementation']} {theirs['python']}, but {here()} is {ours['implementation']} {ours['python']}: "
            f"functions cannot travel between the two. Start the silos with '--python' and a {theirs['implementation']} {minor(theirs['python'])}, "
            f"or this program with {minor(ours['python'])}."
        )
    notices = []
    if minor(theirs["joblib"]) != minor(ours["joblib"]):
        notices.append(f"This program has joblib {theirs['joblib']}, but {here()} has joblib {ours['joblib']}: loops inside of calls may behave differently.")
    _take_path(theirs["path"], theirs["folder"])
    if len(pickled):
        _initialize(pickled)
    return notices


def _take_path(path: List[str], folder: str) -> None:
    # The client's program comes first, as it does at the client; packages that are installed, after the worker's own.
    program = [entry for entry in path if not _is_installed(entry)]
    packages = [entry for entry in path if _is_installed(entry)]
    known = {os.path.abspath(entry) for entry in sys.path}
    sys.path[:0] = [entry for entry in program if entry not in known and os.path.exists(entry)]
    sys.path += [entry for entry in packages if entry not in known and os.path.exists(entry)]
    if folder and os.path.isdir(folder):
        try:
            os.chdir(folder)
        except OSError:
            pass


def _is_installed(entry: str) -> bool:
    return entry.endswith(("site-packages", "dist-packages", "lib-dynload", ".zip")) or os.path.basename(entry).startswith("python3")


def _initialize(pickled: Any) -> None:
    try:
        initializer, arguments = cloudpickle.loads(pickled)
    except BaseException as error:
        raise PrepareError(f"The initializer cannot be read by {here()}: {type(error).__name__}: {error}") from error
    try:
        initializer(*arguments)
    except BaseException as error:
        raise PrepareError(f"The initializer raised {type(error).__name__}: {error}\n{traceback.format_exc()}") from error
