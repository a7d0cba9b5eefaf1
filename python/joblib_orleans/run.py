"""One run on the cluster: batches go out and outcomes come back over one gRPC stream, which is opened again when it breaks."""

import atexit
import collections
import itertools
import os
import socket
import sys
import threading
import time
from concurrent.futures import Future as _Future, TimeoutError as _FutureTimeout
from multiprocessing import TimeoutError as _JoblibTimeout
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from . import arrays, calls, diagnosis, events, results, store, wire
from .arrays import ArraySink, Entry
from .connection import Connection, Gateway, error_of
from .errors import CallPicklingError, ClusterError, ClusterUnavailableError, terminated_worker_error
from .worker import nested as nested_loops

#: Seconds for which a run that lost its gateway looks for another.
RECONNECTS_FOR = 30.0

#: Bytes of calls from which on they go as a file where the gateway shares this host's memory.
MOST_INLINE = 16 << 20

#: Gateways that a batch's arrays may lose on their way before the batch fails, as with workers that it kills.
_MOST_LOSSES = 3

_PROGRESS_PERIOD = 1.0
_PART_BYTES = 1 << 20


class Future(_Future):
    """What joblib gets for a batch: of all its versions, the older ones say ``get``."""

    def get(self, timeout: Optional[float] = None) -> Any:
        try:
            return self.result(timeout)
        except _FutureTimeout as error:
            if self.done():
                raise
            raise _JoblibTimeout() from error


class RunSettings(NamedTuple):
    """``slots``: from 1, or -1 for all. ``threads``: those that a call may use; 0 for a fair share. ``max_bytes``: larger arrays go apart; None for none."""

    slots: int
    threads: int
    prepare: bytes
    max_bytes: Optional[int]
    mmap_mode: Optional[str]
    temp_folder: Optional[str]


class _Job:
    """One batch of joblib's."""

    def __init__(self, func: Any, items: Sequence[Any], nested: Any, callback: Optional[Callable[[Any], None]], first: int, number: int, is_batch: bool):
        self.func = func
        self.items = items
        self.nested = nested
        self.callback = callback
        self.first = first
        self.number = number
        self.is_batch = is_batch
        self.future = Future()
        self.left = 1
        self.returned: Dict[int, List[Any]] = {}
        self.is_done = False


class _Part:
    """What is sent of a job at once: all of it, or one call of it when a worker died."""

    def __init__(self, job: _Job, offset: int, items: Sequence[Any], handle: int):
        self.job = job
        self.offset = offset
        self.items = items
        self.handle = handle
        self.buffers: Optional[List[Any]] = None
        self.entries: List[Entry] = []
        self.is_apart = False
        self.losses = 0


class _PayloadEntry(Entry):
    """A payload that goes as a file."""

    def __init__(self, buffers: Sequence[Any]):
        super().__init__()
        self._parts = wire.pack_parts(buffers)
        self.length = sum(map(len, self._parts))

    def pieces(self) -> Tuple[bytes, List[Any]]:
        return arrays.bytes_head(self.length), self._parts


class Run:
    """Executes batches on the cluster until it is closed or aborted. Thread-safe.

    Nothing here blocks but its two threads: this one's reader, which reads outcomes and calls back, and gRPC's, which takes what is to be sent. ``_gate`` guards all state.
    """

    def __init__(self, connection: Connection, settings: RunSettings):
        self._connection = connection
        self._settings = settings
        self._gate = threading.Condition()
        self._queue: Deque[_Part] = collections.deque()
        self._pending: Dict[int, _Part] = {}
        self._taken: List[int] = []
        self._needless: List[str] = []
        self._handles = itertools.count(1)
        self._numbers = itertools.count()
        self._first = 0
        self._dispatched = 0
        self._completed = 0
        self._failure_said: Any = None
        self._is_closing = False
        self._is_aborted = False
        self._failure: Optional[BaseException] = None
        self._attempt: Optional[_Attempt] = None
        self._seen: Dict[Any, Any] = {}
        self._folders = store.enter(store.parents(settings.temp_folder)) if store.IS_SUPPORTED else ()
        self._sink = ArraySink(settings.max_bytes, settings.mmap_mode)
        #: gRPC's thread of a stream that broke may still be busy with a batch when the next one's begins.
        self.encoding = threading.Lock()
        self._events_settings = events.settings()
        self._thread = threading.Thread(target=self._live, name="joblib-orleans-run", daemon=True)
        _live_runs.add(self)
        self._thread.start()

    # What joblib's threads call.

    def start_call(self) -> None:
        """Calls are counted from 0 again."""
        with self._gate:
            self._first = 0
            self._sink.start_call()

    def submit(self, func: Any, callback: Optional[Callable[[Any], None]]) -> Future:
        """Takes a batch; never blocks or raises. The callback comes once, from another thread, whatever happens, unless the run is aborted."""
        items = getattr(func, "items", None)
        is_batch = isinstance(items, list) and hasattr(func, "_backend")
        if not is_batch:
            items = [(func, (), {})]
        nested = nested_loops.describe(func._backend, func._n_jobs) if is_batch else None
        with self._gate:
            job = _Job(func, items, nested, callback, self._first, next(self._numbers), is_batch)
            self._first += len(items)
            self._dispatched += len(items)
            part = _Part(job, 0, items, next(self._handles))
            failure = self._failure
            if failure is None and not self._is_aborted:
                self._queue.append(part)
                self._gate.notify_all()
        if failure is not None:
            threading.Thread(target=self._fail, args=(job, failure), name="joblib-orleans-failed", daemon=True).start()
        return job.future

    def close(self) -> None:
        """The run ends when what is under way has ended. Does not wait."""
        with self._gate:
            self._is_closing = True
            self._gate.notify_all()

    def abort(self) -> None:
        """Ends the run now: what has started is killed, what waits is dropped, and nobody is called back. Does not wait."""
        with self._gate:
            if self._is_aborted:
                return
            self._is_aborted = self._is_closing = True
            self._queue.clear()
            self._pending.clear()
            attempt = self._attempt
            self._gate.notify_all()
        if attempt is not None:
            attempt.cancel()

    def end(self, error: BaseException) -> None:
        """Ends the run now, and whoever waits for it gets the error. Does not wait."""
        with self._gate:
            self._failure = self._failure or error
            attempt = self._attempt
            self._gate.notify_all()
        if attempt is not None:
            attempt.cancel()

    def join(self, timeout: float) -> bool:
        """Waits until nothing of the run is left in this process; whether it is so."""
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    # The reader.

    def _live(self) -> None:
        import grpc

        tries, until = 0, 0.0
        try:
            while True:
                attempt = _Attempt(self, self._connection.gateway(tries))
                with self._gate:
                    self._attempt = attempt
                    if self._is_over():
                        break
                try:
                    attempt.read()
                    if self._is_over():
                        break
                    error: Any = ClusterUnavailableError(f"The gateway at '{attempt.gateway.endpoint}' ended the run.", "cluster-lost")
                    retries = True
                except grpc.RpcError as failed:
                    if self._is_over():
                        break
                    error = error_of(failed, self._connection.address)
                    retries = failed.code().name in _RETRIED or (attempt.was_opened and failed.code().name in _RETRIED_WHEN_OPEN)
                finally:
                    attempt.end()
                if attempt.was_opened:
                    tries, until = 0, time.monotonic() + RECONNECTS_FOR
                elif not until:
                    # The cluster has answered when the run was configured: it may be away for a moment.
                    until = time.monotonic() + (RECONNECTS_FOR if retries else 0)
                if not retries or time.monotonic() > until:
                    self._failure = error
                    break
                tries += 1
                with self._gate:
                    self._send_again()
                    self._gate.wait_for(self._is_over, min(0.05 * tries * tries, 1.0))
            if self._failure is not None:
                self._fail_all(self._failure)
        except BaseException as unexpected:
            self._fail_all(unexpected)
        finally:
            with self._gate:
                self._attempt = None
            self._sink.close()
            store.leave(self._folders)
            _live_runs.discard(self)

    def _is_over(self) -> bool:
        with self._gate:
            return self._is_aborted or self._failure is not None or (self._is_closing and not self._pending and not self._queue)

    def _send_again(self) -> None:
        # In the order in which they were sent, before what was not.
        again = [self._pending[handle] for handle in sorted(self._pending)]
        self._pending.clear()
        self._taken.clear()
        self._needless.clear()
        self._queue.extendleft(reversed(again))

    def _fail_all(self, error: BaseException) -> None:
        with self._gate:
            self._failure = error
            parts = [*self._pending.values(), *self._queue]
            self._pending.clear()
            self._queue.clear()
        for part in parts:
            self._fail(part.job, error)

    def take(self, attempt: "_Attempt", outcome: Any) -> None:
        """An outcome has come."""
        with self._gate:
            part = self._pending.pop(outcome.handle, None)
        if part is None:
            self._has(outcome)
            return
        messages = wire.messages()
        try:
            if outcome.status == messages.COMPLETED:
                self._returned(attempt, part, outcome)
            elif outcome.status == messages.FAILED:
                self._raised(part, outcome)
            elif outcome.status == messages.WORKER_DIED:
                self._died(part, outcome)
            else:
                self._fail(part.job, ClusterError(outcome.error or "the cluster could not execute a batch and does not say why", outcome.error_code or None))
        except Exception as error:
            failure = self._failure_of(part, error)
            if failure is None:
                with self._gate:
                    self._pending[part.handle] = part
                attempt.cancel()
                return
            self._fail(part.job, failure)
        self._sink.done(part.entries)
        part.entries = []
        self._has(outcome)

    def _has(self, outcome: Any) -> None:
        needless = self._sink.take_needless()
        if outcome.arrays or needless:
            with self._gate:
                if outcome.arrays:
                    self._taken.append(outcome.handle)
                self._needless += [path for attempt, path in needless if attempt is self._attempt]
                self._gate.notify_all()

    def _returned(self, attempt: "_Attempt", part: _Part, outcome: Any) -> None:
        import grpc

        files = {array.path: array.file for array in outcome.arrays}

        def fetch(path: str) -> Any:
            return attempt.fetch(outcome.handle, path)

        try:
            returned, happened = results.read_returned(outcome.payload, files, attempt.folders, fetch)
        except grpc.RpcError:
            raise
        except Exception as error:
            unreadable = ClusterError(f"A result has failed to un-serialize: {type(error).__name__}: {error}. The objects that calls return must be known here, too.", "unreadable-result")
            unreadable.__cause__ = error
            raise unreadable from error
        # Before the callback: with it the run may be closed.
        self._has(outcome)
        del outcome.arrays[:]
        events.replay(happened, self._seen)
        self._ended(part, returned)

    def _ended(self, part: _Part, returned: List[Any]) -> None:
        job = part.job
        with self._gate:
            job.returned[part.offset] = returned
            job.left -= 1
            self._completed += len(part.items)
            if job.left or job.is_done:
                return
            job.is_done = True
        everything = returned if len(job.returned) == 1 else [value for offset in sorted(job.returned) for value in job.returned[offset]]
        job.returned = {}
        job.future.set_result(everything if job.is_batch else everything[0])
        self._call_back(job)

    def _raised(self, part: _Part, outcome: Any) -> None:
        failed = results.Failed(outcome.payload)
        events.replay(failed.events, self._seen)
        if failed.error is None:
            self._copy(part, failed.missing)
            return
        with self._gate:
            self._failure_said = (type(failed.error).__name__, failed.index, failed.call, failed.text, failed.worker)
        self._fail(part.job, failed.error)

    def _copy(self, part: _Part, missing: List[int]) -> None:
        # A worker on another host: it gets copies of the user's files.
        for index in missing:
            entry = part.entries[index]
            if entry.mode != "r":
                raise ClusterError(
                    f"The array in the file '{entry.file}' is mapped to be written to, but a worker on another host does not see the file. Map it with mode 'r', or put it where all hosts see it.",
                    "array-missing",
                )
            entry.copies = True
        self._again(part.job, [_Part(part.job, part.offset, part.items, next(self._handles))], 0)

    def _died(self, part: _Part, outcome: Any) -> None:
        job = part.job
        if len(part.items) > 1:
            parts = [_Part(job, part.offset + index, [item], next(self._handles)) for index, item in enumerate(part.items)]
            self._again(job, parts, len(parts) - 1)
            return
        call = calls.describe(_triple(part.items[0]))
        index = job.first + part.offset
        text = outcome.error or "A worker process died."
        error = terminated_worker_error(
            f"A worker process managed by the executor was unexpectedly terminated while it executed call {index}, {call}. {text} "
            "This could be caused by a segmentation fault while calling the function or by an excessive memory usage causing the Operating System to kill the worker."
        )
        error.joblib_call_index, error.joblib_call = index, call  # type: ignore[attr-defined]
        with self._gate:
            self._failure_said = (type(error).__name__, index, call, str(error), "")
        self._fail(job, error)

    def _again(self, job: _Job, parts: List[_Part], more: int) -> None:
        with self._gate:
            job.left += more
            self._queue.extendleft(reversed(parts))
            self._gate.notify_all()

    def _fail(self, job: _Job, error: BaseException) -> None:
        with self._gate:
            if job.is_done:
                return
            job.is_done = True
            aborted = self._is_aborted
        job.future.set_exception(error)
        if not aborted:
            self._call_back(job)

    def _call_back(self, job: _Job) -> None:
        if job.callback is None or self._is_aborted:
            return
        try:
            job.callback(job.future)
        except BaseException as error:
            _tell(job.callback, error)
        finally:
            job.callback = None

    # gRPC's thread: what is to be sent.

    def next_message(self, attempt: "_Attempt") -> Any:
        """The next message, or None when there will be no more on this stream."""
        messages = wire.messages()
        while True:
            part = None
            with self._gate:
                while True:
                    if attempt.is_cancelled or self._is_aborted:
                        return None
                    if self._taken or self._needless:
                        (taken, self._taken), (needless, self._needless) = (self._taken, []), (self._needless, [])
                        return messages.ClientMessage(taken=messages.Taken(handles=taken, paths=needless))
                    is_last = self._is_closing and not self._pending and not self._queue
                    due = attempt.progress_due((self._dispatched, self._completed, self._failure_said), is_last)
                    if due == 0:
                        return self._progress(attempt)
                    if self._queue:
                        part = self._queue.popleft()
                        if part.job.is_done:
                            continue
                        self._pending[part.handle] = part
                        break
                    if is_last:
                        return None
                    self._gate.wait(due)
            try:
                return attempt.message(part)
            except BaseException as error:
                with self._gate:
                    # What was pending when a stream ended is the next one's, which may have it in hand already.
                    if attempt.is_cancelled or part.handle not in self._pending:
                        continue
                    failure = self._failure_of(part, error)
                    if failure is not None:
                        del self._pending[part.handle]
                if failure is None:
                    attempt.cancel()
                    continue
                self._sink.done(part.entries)
                part.entries = []
                self._fail(part.job, failure)

    def _failure_of(self, part: _Part, error: BaseException) -> Optional[BaseException]:
        """What a part fails with; None when its arrays could not travel because the gateway, or its run, has gone: then it is pending until the next stream sends it again."""
        import grpc

        if not isinstance(error, grpc.RpcError):
            return error
        part.losses += 1
        if part.losses < _MOST_LOSSES and error.code().name in _RETRIED | _RETRIED_WHEN_OPEN | {"NOT_FOUND"}:
            return None
        return error_of(error, self._connection.address)

    def _progress(self, attempt: "_Attempt") -> Any:
        messages = wire.messages()
        said = attempt.said_progress
        progress = messages.Progress(dispatched=said[0], completed=said[1], total=-1)
        if said[2] is not None:
            kind, index, call, text, worker = said[2]
            progress.failure.CopyFrom(messages.Failure(exception=kind, call_index=index, call=call[:1000], traceback=text[-20_000:], worker=worker))
        return messages.ClientMessage(progress=progress)

    def encode(self, part: _Part) -> None:
        """Pickles a part, once."""
        if part.buffers is not None:
            return
        try:
            part.buffers, part.entries = self._sink.dump((part.job.nested, self._events_settings, calls.shape(part.items)))
        except Exception as error:
            raise _unpicklable(error, part) from error
        if wire.container_bytes(part.buffers) > MOST_INLINE:
            entry = _PayloadEntry(part.buffers)
            self._sink.add(entry)
            self._sink.forget(entry)
            part.entries.append(entry)
            part.buffers = []
            part.is_apart = True

    @property
    def address(self) -> Any:
        return self._connection.address

    @property
    def settings(self) -> RunSettings:
        return self._settings

    @property
    def folders(self) -> Sequence[str]:
        return self._folders

    @property
    def sink(self) -> ArraySink:
        return self._sink

    def was_opened(self, attempt: "_Attempt") -> None:
        self._connection.prefer(attempt.gateway)
        with self._gate:
            self._gate.notify_all()

    def wake(self) -> None:
        with self._gate:
            self._gate.notify_all()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        with self._gate:
            self._gate.wait_for(condition)


class _Attempt:
    """One stream of a run."""

    def __init__(self, run: Run, gateway: Gateway):
        self._run = run
        self.gateway = gateway
        self.was_opened = False
        self.has_ended = False
        #: It has ended, or is about to.
        self.is_cancelled = False
        #: This host's folders that the gateway has proven to share, and their parents.
        self.folders: List[str] = []
        self._parents: List[str] = []
        self._most_payload = 64 << 20
        self._name = ""
        self._stream: Any = None
        self._tokens: List[store.Token] = []
        self.said_progress: Any = (0, 0, None)
        self._progress_at = 0.0

    def read(self) -> None:
        """Reads until the stream ends. Raises grpc.RpcError."""
        stream = self.gateway.run(self._requests())
        self._stream = stream
        if self.is_cancelled:
            stream.cancel()
        for message in stream:
            kind = message.WhichOneof("what")
            if kind == "outcome":
                self._run.take(self, message.outcome)
            elif kind == "opened":
                self._opened(message.opened)
            elif kind == "cancelled":
                raise ClusterError(f"The run was cancelled at the cluster: {message.cancelled.reason}", "run-cancelled")

    def cancel(self) -> None:
        self.is_cancelled = True
        if self._stream is not None:
            self._stream.cancel()

    def end(self) -> None:
        self.has_ended = True
        self._delete_tokens()
        self.cancel()
        self._run.wake()

    def _requests(self) -> Any:
        try:
            yield self._open()
            self._run.wait_until(lambda: self.was_opened or self.has_ended)
            while not self.has_ended:
                message = self._run.next_message(self)
                if message is None:
                    return
                yield message
        finally:
            self._delete_tokens()

    def _open(self) -> Any:
        messages = wire.messages()
        settings = self._run.settings
        for parent in self._run.folders:
            try:
                self._tokens.append(store.Token(parent))
            except OSError:
                # One that cannot be used is not offered; when none can, arrays travel as bytes.
                break
        said = messages.Open(
            protocol=wire.PROTOCOL,
            runtime="python",
            slots=settings.slots,
            client=f"{socket.gethostname()}/{os.getpid()}",
            name=_program(),
            inner_max_num_threads=settings.threads,
            prepare=settings.prepare,
            max_bytes=-1 if settings.max_bytes is None else settings.max_bytes,
            mmap_mode=settings.mmap_mode if settings.mmap_mode in ("r", "r+", "c") else "r",
            tokens=[token.path for token in self._tokens],
        )
        return messages.ClientMessage(open=said)

    def _opened(self, opened: Any) -> None:
        for parent, token, proof in zip(self._run.folders, self._tokens, opened.proofs):
            if token.is_proven_by(proof):
                self._parents.append(parent)
                self.folders.append(os.path.dirname(token.path))
        self._delete_tokens()
        self._name = opened.run
        self._most_payload = opened.most_payload_bytes or self._most_payload
        self.was_opened = True
        self._run.was_opened(self)

    def _delete_tokens(self) -> None:
        while self._tokens:
            try:
                self._tokens.pop().delete()
            except (IndexError, OSError):
                pass

    def progress_due(self, now: Any, is_last: bool) -> Optional[float]:
        """Seconds until progress is to be said; 0 for now, None when there is none. ``is_last``: there is no later."""
        if now == self.said_progress:
            return None
        left = self._progress_at + _PROGRESS_PERIOD - time.monotonic()
        if left <= 0 or is_last or now[2] is not self.said_progress[2]:
            self.said_progress = now
            self._progress_at = time.monotonic()
            return 0
        return left

    def message(self, part: _Part) -> Any:
        """A part as a message. Writes or uploads its large arrays."""
        with self._run.encoding:
            self._run.encode(part)
            places = [self._place(entry) for entry in part.entries]
        pieces = arrays.pack_payload(places, part.buffers or [], arrays.APART if part.is_apart else arrays.INLINE)
        payload = b"".join(pieces)
        if len(payload) > self._most_payload:
            raise ClusterError(f"A batch takes {len(payload)} bytes, the gateway at '{self.gateway.endpoint}' takes {self._most_payload}. Make batches smaller ('batch_size').", "payload-too-large")
        job = part.job
        messages = wire.messages()
        batch = messages.Batch(
            handle=part.handle,
            number=job.number,
            first_call=job.first + part.offset,
            calls=len(part.items),
            payload=payload,
            arrays=[path for path, _, identity in places if not identity],
            nesting_level=0,
        )
        return messages.ClientMessage(batch=batch)

    def _place(self, entry: Entry) -> arrays.Place:
        if self._parents:
            if entry.is_own_file:
                return entry.file or "", entry.start, arrays.file_identity(entry.file or "")
            if entry.segment is None:
                self._run.sink.written(entry, store.write(self._parents, *entry.pieces()))
            return entry.segment.path, arrays.HEAD_BYTES, ""
        if entry.upload is None or entry.upload[0] is not self:
            entry.upload = (self, self._upload(entry))
        return entry.upload[1], arrays.HEAD_BYTES, ""

    def _upload(self, entry: Entry) -> str:
        messages = wire.messages()
        head, pieces = entry.pieces()
        length = len(head) + sum(map(len, pieces))

        def parts() -> Any:
            yield messages.ArrayPart(run=self._name, length=length, data=head)
            for piece in pieces:
                view = memoryview(piece)
                for start in range(0, len(view), _PART_BYTES):
                    if self.has_ended:
                        return
                    yield messages.ArrayPart(data=bytes(view[start : start + _PART_BYTES]))

        return self.gateway.put_array(parts()).path

    def fetch(self, handle: int, path: str) -> Any:
        """An array of an outcome, from a gateway that does not share this host's memory."""
        return results.receive(self.gateway.get_array(wire.messages().ArrayRequest(run=self._name, handle=handle, path=path)))


def _program() -> str:
    main = sys.modules.get("__main__")
    return os.path.basename(getattr(main, "__file__", None) or sys.argv[0] or "python")


def _triple(item: Any) -> Any:
    return item if isinstance(item, tuple) and len(item) == 3 else None


def _unpicklable(error: Exception, part: _Part) -> BaseException:
    if isinstance(error, OSError):
        return error

    def can(value: Any) -> bool:
        arrays.dump(value, lambda array: (str, ()) if array.nbytes > 1 << 20 else NotImplemented)
        return True

    found = diagnosis.offending_call(part.items, part.job.first + part.offset, can)
    where = f": {found}" if found else ""
    return CallPicklingError(f"Could not pickle the task to send it to the workers{where}: {error}")


def _tell(callback: Any, error: BaseException) -> None:
    """joblib before 1.4 lets errors of the user's iterator out of its callback, and would wait for ever."""
    parallel = getattr(callback, "parallel", None)
    if parallel is None:
        raise error
    with parallel._lock:
        parallel._iterating = False
        parallel._original_iterator = None
        tracker = type(callback)(0, 1, parallel)
        if hasattr(tracker, "_register_outcome"):
            tracker.parallel._jobs.append(tracker)
            tracker._register_outcome({"result": error, "status": "Error"})
        else:
            failed = Future()
            failed.set_exception(error)
            parallel._jobs.append(failed)


# The names of gRPC's status codes: gRPC itself is imported when it is needed.
_RETRIED = {"UNAVAILABLE", "DEADLINE_EXCEEDED"}
_RETRIED_WHEN_OPEN = {"INTERNAL", "UNKNOWN", "CANCELLED", "ABORTED"}

_live_runs: Set[Run] = set()


def end_all(timeout: float = 5.0, address: Any = None, error: Optional[BaseException] = None) -> None:
    """Ends what runs are left in this process, on one cluster or on all, and waits for it, in seconds. Whoever waits for them gets the error; nothing without one."""
    # Copied at once: runs end meanwhile.
    runs = [run for run in list(_live_runs) if address is None or run.address == address]
    for run in runs:
        if error is None:
            run.abort()
        else:
            run.end(error)
    until = time.monotonic() + timeout
    for run in runs:
        run.join(max(until - time.monotonic(), 0))


def _after_fork_in_child() -> None:
    # They are the parent's, as are their streams and whoever held their locks: an inherited generator that ends here must not touch them.
    for run in _live_runs:
        run._gate = threading.Condition()
        run._is_aborted = True
    _live_runs.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(end_all)
