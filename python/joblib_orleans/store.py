"""Files that hold large arrays, shared by the processes of a user on one host: the same folder, files and locks as src/Execution/Arrays/Store.

A segment is a ``.npy`` file. Whoever uses it holds a shared lock on its byte 0, whoever keeps it one on byte 1; whoever writes it holds both alone. Locks belong to open
files and end with them, so what can be locked alone belongs to nobody and may be deleted by anybody. All functions are thread-safe.
"""

import errno
import hashlib
import hmac
import os
import platform
import secrets
import stat
import string
import struct
import sys
import tempfile
import threading
import time
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

SHARED_MEMORY = "/dev/shm"

#: Free bytes below which /dev/shm is not used, as in joblib.
LEAST_SHARED_MEMORY = 2_000_000_000

FOLDER_VARIABLE = "JOBLIB_TEMP_FOLDER"

_F_OFD_SETLK = 37
# struct flock of 64-bit Linux: type, whence, start, length, process.
_FLOCK = struct.Struct("hh4xqqi4x")
_USE, _KEEP = 0, 1
_NAME_DIGITS = 48
_SECRET_BYTES = 32
_PIECE = 1 << 26

#: The locks that the files need are those of Linux. Elsewhere large arrays travel as bytes.
IS_SUPPORTED = sys.platform == "linux" and sys.maxsize > 1 << 32


class StoreError(OSError):
    """No folder can hold large arrays; says why and what to do."""


def parents(temp_folder: Optional[str] = None) -> List[str]:
    """The folders to put arrays below, in order. One that the user named is the only one."""
    named = temp_folder or os.environ.get(FOLDER_VARIABLE)
    if named:
        return [os.path.abspath(os.path.expanduser(named))]
    system = os.path.abspath(tempfile.gettempdir())
    try:
        space = os.statvfs(SHARED_MEMORY)
        if space.f_bsize * space.f_bavail > LEAST_SHARED_MEMORY:
            return [SHARED_MEMORY, system]
    except OSError:
        pass
    return [system]


def folder_below(parent: str) -> str:
    return os.path.join(parent, f"orleans-joblib-{os.geteuid()}")


def is_segment_name(name: str) -> bool:
    digits, extension = os.path.splitext(name)
    return extension == ".npy" and len(digits) == _NAME_DIGITS and not digits.strip("0123456789abcdef")


def is_segment(path: str) -> bool:
    """Whether a path is spelled as one of a segment."""
    return is_segment_name(os.path.basename(path)) and os.path.basename(os.path.dirname(path)).startswith("orleans-joblib-")


def _lock(fd: int, kind: int, start: int, length: int) -> bool:
    try:
        fcntl.fcntl(fd, _F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, start, length, 0))
        return True
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise


def _is_same(fd: int, path: str) -> bool:
    opened = os.fstat(fd)
    try:
        named = os.lstat(path)
    except FileNotFoundError:
        return False
    return opened.st_nlink > 0 and (opened.st_ino, opened.st_dev) == (named.st_ino, named.st_dev)


# Open files of this process that hold locks. A forked child closes its copies: they would keep the parent's locks alive.
_held: Set[int] = set()


def _hold(fd: int) -> int:
    _held.add(fd)
    return fd


def _let_go(fd: int) -> None:
    # After a fork the numbers may name other files.
    if fd in _held:
        _held.discard(fd)
        os.close(fd)


def _after_fork_in_child() -> None:
    while _held:
        try:
            os.close(_held.pop())
        except OSError:
            pass


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def open_folder(parent: str) -> str:
    """Opens or makes this user's folder below another one.

    Raises StoreError when it cannot be made, or is not this user's alone.
    """
    path = folder_below(parent)
    try:
        os.makedirs(parent, exist_ok=True)
        for _ in range(100):
            try:
                os.mkdir(path, 0o700)
            except FileExistsError:
                pass
            try:
                status = os.lstat(path)
                if not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o077 or status.st_uid != os.geteuid():
                    raise _unusable(path, "it is not a folder that belongs to this user alone (mode 0700)")
                _make_seed(os.path.join(path, "seed"))
                return path
            except FileNotFoundError:
                # Its last user has removed it this moment.
                continue
    except StoreError:
        raise
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    raise _unusable(path, "other processes remove it again and again")


def _make_seed(path: str) -> None:
    if os.path.exists(path):
        return
    made = f"{path}-{secrets.token_hex(16)}"
    fd = os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, secrets.token_bytes(8))
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        os.close(fd)
        os.unlink(made)


def _unusable(path: str, why: str) -> StoreError:
    return StoreError(
        f"Large arrays cannot be put into '{path}': {why}. Give another folder, with 'temp_folder' or the environment variable {FOLDER_VARIABLE}."
    )


def _create(path: str) -> int:
    """A new file that this process holds alone."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _lock(fd, fcntl.F_WRLCK, _USE, 2) and _is_same(fd, path):
            return _hold(fd)
        os.close(fd)


class Segment:
    """A file of the store that this process uses until :meth:`close`."""

    def __init__(self, path: str, fd: int):
        self.path = path
        self.fd = fd

    def close(self) -> None:
        """No longer used here. The file stays."""
        _let_go(self.fd)

    def delete(self) -> None:
        """Takes the file's name away: its bytes last as long as somebody maps them."""
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass
        self.close()


def use(path: str) -> Segment:
    """Opens a segment to use it.

    Raises FileNotFoundError when it is not there, or about to go.
    """
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    _hold(fd)
    until = time.monotonic() + 10
    while not _lock(fd, fcntl.F_RDLCK, _USE, 1):
        # Somebody looks whether it is in use, or has taken it for something else: then its name leads elsewhere.
        if not _is_same(fd, path) or time.monotonic() > until:
            _let_go(fd)
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        time.sleep(0.001)
    if not _is_same(fd, path):
        _let_go(fd)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return Segment(path, fd)


def write(folders: Sequence[str], head: bytes, pieces: Sequence[Any]) -> Segment:
    """Writes a segment below the first of the parent folders that has room.

    Written, not mapped: a full file system is an error of write, never a SIGBUS.
    Raises StoreError when none has room.
    """
    length = len(head) + sum(len(piece) for piece in pieces)
    full: List[str] = []
    for parent in folders:
        folder = open_folder(parent)
        room = _room(folder)
        if room < length:
            full.append(f"{folder} has room for {max(room, 0)} bytes more")
            continue
        segment = _new(folder)
        try:
            _write_all(segment.fd, head, pieces)
            _lock(segment.fd, fcntl.F_RDLCK, _USE, 2)
            return segment
        except OSError as error:
            segment.delete()
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            full.append(f"{folder} is full")
        except BaseException:
            segment.delete()
            raise
    raise StoreError(
        errno.ENOSPC,
        f"An array of {length} bytes has no room: {'; '.join(full)}. Make room, name a folder with more of it with 'temp_folder' or {FOLDER_VARIABLE}, or let fewer calls be under way ('pre_dispatch').",
    )


def _new(folder: str) -> Segment:
    for _ in range(100):
        path = os.path.join(folder, secrets.token_hex(_NAME_DIGITS // 2) + ".npy")
        try:
            return Segment(path, _create(path))
        except FileNotFoundError:
            # Its last user has removed the folder this moment.
            open_folder(os.path.dirname(folder))
    raise _unusable(folder, "other processes remove it again and again")


def _write_all(fd: int, head: bytes, pieces: Sequence[Any]) -> None:
    position = os.pwrite(fd, head, 0)
    for piece in pieces:
        view = memoryview(piece)
        start = 0
        while start < len(view):
            count = os.pwrite(fd, view[start : start + _PIECE], position)
            start += count
            position += count


def _room(folder: str) -> int:
    # All segments together take three quarters of a file system at most, as those of .NET do.
    space = os.statvfs(folder)
    used = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_segment_name(entry.name) or entry.name.startswith("w-"):
                    try:
                        used += entry.stat(follow_symlinks=False).st_size
                    except FileNotFoundError:
                        pass
    except FileNotFoundError:
        pass
    return min(space.f_frsize * space.f_blocks * 3 // 4 - used, space.f_frsize * space.f_bavail)


def sweep(parent: str) -> None:
    """Deletes what processes that were killed have left, and the folder when nothing is in it."""
    folder = folder_below(parent)
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if is_segment_name(name) or name[:2] in ("w-", "c-", "t-") or name.startswith("seed-"):
            _sweep_file(os.path.join(folder, name))
    remove_if_empty(folder)


def _sweep_file(path: str) -> None:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        if _lock(fd, fcntl.F_WRLCK, _USE, 2) and _is_same(fd, path):
            os.unlink(path)
    except OSError:
        pass
    finally:
        os.close(fd)


def remove_if_empty(folder: str) -> None:
    """Removes the folder when nothing but its seed is left in it. Whoever comes at that moment makes it again."""
    try:
        if all(name == "seed" for name in os.listdir(folder)):
            os.unlink(os.path.join(folder, "seed"))
            os.rmdir(folder)
    except OSError:
        pass


def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read()
    except OSError:
        return platform.node()


def _proof(secret: bytes, path: str) -> bytes:
    return hmac.new(secret, f"{path}\n{_boot_id()}".encode(), hashlib.sha256).digest()


class Token:
    """Proof that another process sees a folder: a secret that it has to read there. Delete it when it has answered."""

    def __init__(self, parent: str):
        folder = open_folder(parent)
        self._secret = secrets.token_bytes(_SECRET_BYTES)
        path = os.path.join(folder, "t-" + secrets.token_hex(16))
        self._file = Segment(path, _create(path))
        os.pwrite(self._file.fd, self._secret, 0)

    @property
    def path(self) -> str:
        return self._file.path

    def is_proven_by(self, proof: bytes) -> bool:
        return hmac.compare_digest(_proof(self._secret, self.path), proof)

    def delete(self) -> None:
        self._file.delete()


def prove(path: str) -> Optional[bytes]:
    """The other side of :class:`Token`: the proof for one; None when it cannot be read."""
    name = os.path.basename(path)
    if not name.startswith("t-") or name[2:].strip(string.hexdigits) or os.path.abspath(path) != path:
        return None
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        secret = os.read(fd, _SECRET_BYTES + 1)
        return _proof(secret, path) if len(secret) == _SECRET_BYTES else None
    finally:
        os.close(fd)


_swept: Dict[str, int] = {}
_users: Dict[str, int] = {}
_gate = threading.Lock()


def enter(folders: Sequence[str]) -> Tuple[str, ...]:
    """One more user of the folders in this process. The first sweeps them."""
    with _gate:
        for parent in folders:
            _users[parent] = _users.get(parent, 0) + 1
            if _swept.get(parent) != os.getpid():
                _swept[parent] = os.getpid()
                sweep(parent)
    return tuple(folders)


def leave(folders: Sequence[str]) -> None:
    """One user less. The last removes the folders that are empty."""
    with _gate:
        for parent in folders:
            left = _users.get(parent, 1) - 1
            _users[parent] = left
            if left <= 0:
                _users.pop(parent, None)
                remove_if_empty(folder_below(parent))
