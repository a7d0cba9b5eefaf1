"""A worker's life. Two threads matter: the reader takes frames as they come, so that the end of the silo, a recall or the end of a run is seen while a call runs; the main thread executes batches."""

import collections
import faulthandler
import gc
import os
import signal
import struct
import sys
import threading
import time
import traceback
from typing import Any, Deque, Dict, Optional, Set

from . import frames

_LONGEST_KEPT = 60.0
_TRIM_AFTER = 1.0


class Loop:
    """The state that the threads share is guarded by ``_gate``."""

    def __init__(self) -> None:
        self._leads_group = _lead_group()
        # Code of calls, and programs that they start, must find neither our frames to read nor a place among them to write.
        frames_in = os.dup(0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        frames_out = os.dup(1)
        self._written, writes = os.pipe()
        os.dup2(writes, 1)
        os.close(writes)
        self._descriptors = [frames_in, frames_out, self._written]
        os.register_at_fork(after_in_child=self._after_fork)
        self._input = frames.Input(frames_in)
        self._output = frames.Output(frames_out)
        self._gate = threading.Condition()
        self._batches: Deque[frames.Batch] = collections.deque()
        self._runs: Dict[int, frames.RunArrays] = {}
        self._ended_runs: Set[int] = set()
        self._results: Dict[int, Any] = {}
        self._prepare: Optional[bytearray] = None
        self._shutdown = False
        self._takes_no_more = False
        self._forgets = False
        self._most_growth = 300_000_000

    def _after_fork(self) -> None:
        # A child of a call that outlives this process must not look like it to the silo.
        for descriptor in self._descriptors:
            try:
                os.close(descriptor)
            except OSError:
                pass

    def run(self) -> None:
        from .events import Console, Events, take_log_records, take_warnings
        from .execute import Executor
        from .memory import Memory
        from .nested import expect_joblib
        from .version import describe, versions

        events = Events(self._say)
        console = Console(events, self._written)
        self._executor = Executor(events, console)
        take_warnings(events)
        take_log_records(events)
        if not os.environ.get("PYTHONFAULTHANDLER"):
            faulthandler.enable(file=2)
        expect_joblib()
        gc.collect()
        gc.freeze()
        self._send(frames.HELLO, frames.hello(self._leads_group, describe(versions())))
        threading.Thread(target=self._read_all, name="joblib-worker-reader", daemon=True).start()
        threading.Thread(target=console.pass_on, name="joblib-worker-output", daemon=True).start()
        self._memory: Optional[Memory] = None
        while True:
            batch = self._next()
            if batch is None:
                break
            self._execute(batch)
            del batch
            self._look_at_memory()
        self._wait_until_taken()
        console.settle()
        # Threads that calls have left behind must not keep the process.
        os._exit(0)

    def _say(self, is_error: bool, text: str) -> None:
        try:
            self._output.post(frames.OUTPUT, frames.output(is_error, text))
        except OSError:
            self._die()

    def _send(self, kind: int, body: bytes, pieces: Any = ()) -> None:
        try:
            self._output.send(kind, body, pieces)
        except OSError:
            self._die()

    def _die(self) -> None:
        """Nobody wants anything of this process any more, nor of those that its calls started."""
        with self._gate:
            for results in self._results.values():
                results.close()
            runs = list(self._runs.values())
        self._leave_folders(runs)
        if self._leads_group:
            os.killpg(0, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    @staticmethod
    def _leave_folders(runs: Any) -> None:
        # The last process to end leaves nothing in shared memory.
        from .. import store

        for parent in {parent for run in runs for parent in run.parents}:
            store.sweep(parent)

    def _read_all(self) -> None:
        try:
            while True:
                frame = self._input.read()
                if frame is None:
                    break
                self._take(*frame)
        except (OSError, frames.FrameError):
            pass
        finally:
            self._die()

    def _take(self, kind: int, body: bytearray) -> None:
        if kind == frames.BATCH:
            batch = frames.read_batch(body)
            with self._gate:
                if not self._takes_no_more:
                    self._batches.append(batch)
                    self._gate.notify_all()
        elif kind == frames.SETUP:
            self._most_growth = frames.read_setup(body)
        elif kind == frames.INITIALIZE:
            with self._gate:
                self._prepare = body
                self._gate.notify_all()
        elif kind == frames.RUN:
            said = frames.read_run(body)
            with self._gate:
                self._runs[said.run] = said
        elif kind == frames.TAKEN:
            with self._gate:
                results = self._results.pop(frames.read_handle(body), None)
                self._gate.notify_all()
            if results is not None:
                results.close()
        elif kind == frames.RECALL:
            self._recall(frames.read_handle(body))
        elif kind == frames.END_RUN:
            run = frames.read_handle(body)
            with self._gate:
                self._ended_runs.add(run)
                self._runs.pop(run, None)
                self._forgets = True
                self._gate.notify_all()
            self._send(frames.RUN_ENDED, struct.pack("<q", run))
        elif kind == frames.RECLAIM:
            with self._gate:
                self._forgets = True
                self._gate.notify_all()
        elif kind == frames.SHUTDOWN:
            with self._gate:
                self._shutdown = True
                self._gate.notify_all()

    def _recall(self, handle: int) -> None:
        with self._gate:
            kept = [batch for batch in self._batches if batch.handle != handle]
            if len(kept) == len(self._batches):
                return
            self._batches = collections.deque(kept)
        self._send(frames.OUTCOME, frames.outcome(handle, frames.NOT_EXECUTED))

    def _next(self) -> Optional[frames.Batch]:
        idle = False
        while True:
            with self._gate:
                prepare, self._prepare = self._prepare, None
                forgets, self._forgets = self._forgets, False
                if prepare is None and not forgets:
                    if self._batches:
                        return self._batches.popleft()
                    if self._shutdown:
                        return None
                    if not self._gate.wait(None if idle else _TRIM_AFTER):
                        idle = forgets = True
            if forgets:
                self._executor.mappings.forget()
                gc.collect()
            if prepare is not None:
                self._take_prepare(prepare)

    def _take_prepare(self, body: bytearray) -> None:
        from . import prepare

        try:
            self._executor.notices += prepare.take(body)
        except BaseException as error:
            if isinstance(error, prepare.PrepareError):
                text = str(error)
            else:
                text = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
            self._send(frames.OUTCOME, frames.outcome(frames.INITIALIZER, frames.FAILED), [text.encode("utf-8", "replace")])
            return
        finally:
            self._executor.flush()
        self._send(frames.OUTCOME, frames.outcome(frames.INITIALIZER, frames.COMPLETED))

    def _execute(self, batch: frames.Batch) -> None:
        with self._gate:
            run = self._runs.get(batch.run)
            ended = batch.run in self._ended_runs
        if ended:
            self._send(frames.OUTCOME, frames.outcome(batch.handle, frames.NOT_EXECUTED))
            return
        started = time.perf_counter()
        status, pieces, results = self._executor.execute(batch, run)
        files = [segment.path for segment in results.segments] if status == frames.COMPLETED else []
        if files:
            with self._gate:
                self._results[batch.handle] = results
        seconds = time.perf_counter() - started
        self._send(frames.OUTCOME, frames.outcome(batch.handle, status, files, seconds), pieces)

    def _look_at_memory(self) -> None:
        from .memory import Memory

        if self._memory is None:
            self._memory = Memory(self._most_growth)
        now = self._memory.grown_too_much()
        if now is not None:
            with self._gate:
                # What waits here, or is on its way, the silo gives to others as soon as it hears of it.
                self._takes_no_more = True
                self._batches.clear()
            self._send(
                frames.OUTCOME,
                frames.outcome(frames.NO_BATCH, frames.NOT_EXECUTED, leaving=frames.LEAVES_FOR_MEMORY, resident=now, first_resident=self._memory.first_bytes),
            )

    def _wait_until_taken(self) -> None:
        # What nobody has taken yet would go with this process.
        until = time.monotonic() + _LONGEST_KEPT
        with self._gate:
            while self._results and time.monotonic() < until:
                self._gate.wait(_TRIM_AFTER)
            for results in self._results.values():
                results.close()
            runs = list(self._runs.values())
        self._leave_folders(runs)


def _lead_group() -> bool:
    try:
        os.setpgid(0, 0)
        return True
    except OSError:
        return os.getpgrp() == os.getpid()


def main() -> None:
    """Executes batches until the silo says that it is enough, or is gone."""
    try:
        Loop().run()
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        # Python's own end waits for threads that calls have left behind, and the reader would answer the silo for ever.
        os._exit(1)
