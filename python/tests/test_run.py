"""A run whose gateways are in this process: what must happen in the worst order happens in it each time."""

import functools
import itertools
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time

import grpc
import numpy
import pytest
from conftest import HERE, PACKAGE, until

from joblib_orleans import arrays, run, store, wire
from joblib_orleans.errors import ClusterError
from joblib_orleans.run import Run, RunSettings

WITHIN = 20


class Failed(grpc.RpcError):
    def __init__(self, code=grpc.StatusCode.UNAVAILABLE):
        self._code = code

    def code(self):
        return self._code


class Stream:
    """A run's stream at a gateway: as gRPC, with a thread of its own that takes what is to be sent."""

    def __init__(self, gateway, requests):
        self._gateway = gateway
        self._said = queue.Queue()
        self.is_consumed = False
        threading.Thread(target=self._consume, args=(requests,), daemon=True).start()

    def _consume(self, requests):
        for message in requests:
            self._gateway.took(message)
            kind = message.WhichOneof("what")
            if kind == "open":
                self.say(opened=wire.messages().Opened(run="r", proofs=[store.prove(token) or b"" for token in message.open.tokens]))
            elif kind == "batch":
                self._gateway.executes(self, message.batch)
        self.is_consumed = True
        self._said.put(None)

    def say(self, **message):
        self._said.put(wire.messages().GatewayMessage(**message))

    def end(self, error):
        self._said.put(error)

    def cancel(self):
        self.end(Failed(grpc.StatusCode.CANCELLED))

    def __iter__(self):
        while True:
            message = self._said.get(timeout=WITHIN)
            if message is None:
                return
            if isinstance(message, Exception):
                raise message
            yield message


class Gateway:
    """Executes nothing: each call returns the batch's handle, unless a test says otherwise."""

    def __init__(self, name):
        self.endpoint = name
        self.taken = []
        self.executes = returns

    def took(self, message):
        self.taken.append(message)

    def kinds(self):
        return [message.WhichOneof("what") for message in self.taken]

    def run(self, requests):
        self.stream = Stream(self, requests)
        return self.stream

    def batches(self):
        return self.kinds().count("batch")

    def put_array(self, parts):
        for _ in parts:
            pass
        return wire.messages().ArrayPlace(path="/there")


def returns(stream, batch):
    messages = wire.messages()
    payload = b"".join(arrays.pack_payload([], [pickle.dumps([]), *arrays.dump([batch.handle])]))
    stream.say(outcome=messages.Outcome(handle=batch.handle, status=messages.COMPLETED, payload=payload))


class Connection:
    address = "gateways of the test"

    def __init__(self):
        self.gateways = [Gateway("first"), Gateway("second")]

    def gateway(self, attempt):
        return self.gateways[attempt % 2]

    def prefer(self, gateway):
        pass


@pytest.fixture
def connection():
    return Connection()


@pytest.fixture
def start(connection, folder):
    """Starts runs, which end with the test."""
    started = []

    def start(max_bytes=1000):
        started.append(Run(connection, RunSettings(2, 0, b"", max_bytes, "r", folder)))
        return started[-1]

    yield start
    for one in started:
        one.abort()
    assert all(one.join(WITHIN) for one in started)


def test_a_run_that_is_closed_says_its_progress_once_more(start, connection):
    first = connection.gateway(0)
    one = start()
    assert one.submit(int, None).result(WITHIN) == 1
    one.close()
    assert one.join(WITHIN)
    said = [message.progress for message in first.taken if message.WhichOneof("what") == "progress"]
    assert len(said) <= 2 and (said[-1].dispatched, said[-1].completed) == (1, 1)


def away(requests):
    raise Failed()


@pytest.mark.parametrize("is_away", [False, True])
def test_who_waits_for_a_run_that_is_ended_gets_the_error(start, connection, is_away):
    for gateway in connection.gateways:
        gateway.executes = lambda *_: None
        if is_away:
            gateway.run = away
    one = start()
    called_back = queue.Queue()
    waits = one.submit(int, called_back.put)
    error = RuntimeError("closed")
    one.end(error)
    # Also what comes later, as when an iterator was read meanwhile.
    late = one.submit(int, called_back.put)
    assert {called_back.get(timeout=WITHIN), called_back.get(timeout=WITHIN)} == {waits, late}
    assert waits.exception() is late.exception() is error
    assert one.join(WITHIN)


@pytest.fixture
def far(monkeypatch):
    """Gateways share no memory with the run: arrays travel through them."""
    monkeypatch.setattr(store, "IS_SUPPORTED", False)


def large():
    return functools.partial(len, numpy.zeros(1000))


def test_a_batch_whose_upload_fails_with_its_gateway_is_sent_to_the_next(far, start, connection):
    first, second = connection.gateways

    # Before the stream has ended: the run does not know yet.
    def put_array(parts):
        raise Failed()

    first.put_array = put_array
    one = start()
    assert one.submit(large(), None).result(WITHIN) == 1
    assert (first.batches(), second.batches()) == (0, 1)


def test_a_batch_whose_result_cannot_be_fetched_from_a_gateway_that_goes_is_sent_to_the_next(far, start, connection):
    first, second = connection.gateways

    def refers(stream, batch):
        messages = wire.messages()
        value = (arrays.open_array, (0, 0, numpy.dtype("u1"), (1,), None, "C", None))
        buffers = arrays.dump([numpy.zeros(1, "u1")], lambda _: value)
        payload = b"".join(arrays.pack_payload([("/there", arrays.HEAD_BYTES, "")], [pickle.dumps([]), *buffers]))
        stream.say(outcome=messages.Outcome(handle=batch.handle, status=messages.COMPLETED, payload=payload, arrays=[messages.ResultArray(path="/there", file="/there")]))

    def get_array(_):
        raise Failed()

    first.executes, first.get_array = refers, get_array
    one = start()
    assert one.submit(large(), None).result(WITHIN) == 1
    assert (first.batches(), second.batches()) == (1, 1) and "taken" not in first.kinds() + second.kinds()


def test_a_batch_whose_upload_fails_at_all_gateways_fails(far, start, connection):
    tries = []

    def put_array(parts):
        tries.append(parts)
        raise Failed()

    for gateway in connection.gateways:
        gateway.put_array = put_array
    one = start()
    assert isinstance(one.submit(large(), None).exception(WITHIN), ClusterError)
    assert len(tries) == 3 and one.submit(int, None).result(WITHIN) == 2


def test_an_upload_that_fails_after_its_stream_takes_nothing_from_the_next(far, start, connection):
    first, second = connection.gateways
    starts, goes_on = threading.Event(), threading.Event()

    def put_array(parts):
        starts.set()
        goes_on.wait(WITHIN)
        raise Failed()

    first.put_array = put_array
    one = start()
    future = one.submit(large(), None)
    assert starts.wait(WITHIN)
    first.stream.end(Failed())
    # The next stream has the batch, and waits until the last one's thread has it no more.
    assert until(lambda: one._attempt.gateway is second and one._pending)
    goes_on.set()
    assert future.result(WITHIN) == 1
    one.close()
    assert one.join(WITHIN) and second.batches() == 1


def test_an_array_that_is_written_while_its_run_ends_leaves_no_file(start, connection, folder, monkeypatch):
    starts, goes_on = threading.Event(), threading.Event()
    write = store._write_all

    def write_all(*arguments):
        starts.set()
        goes_on.wait(WITHIN)
        write(*arguments)

    monkeypatch.setattr(store, "_write_all", write_all)
    one = start()
    one.submit(large(), None)
    assert starts.wait(WITHIN)
    one.abort()
    assert one.join(WITHIN)
    goes_on.set()
    first = connection.gateway(0)
    assert until(lambda: first.stream.is_consumed)
    assert os.listdir(folder) == []


def test_runs_that_end_while_all_are_ended_do_no_harm(monkeypatch):
    class Ending:
        @property
        def address(self):
            run._live_runs.discard(self)

    three = [Ending(), Ending(), Ending()]
    monkeypatch.setattr(run, "_live_runs", type(run._live_runs)(three))
    run.end_all(address="another")
    assert not run._live_runs


def test_what_was_uploaded_is_given_back_while_the_run_goes_on(connection, start, monkeypatch):
    monkeypatch.setattr(store, "IS_SUPPORTED", False)
    gateway = connection.gateway(0)
    paths = itertools.count(1)

    def put_array(parts):
        assert sum(len(part.data) for part in parts) > 8000
        return wire.messages().ArrayPlace(path=f"/there/{next(paths)}")

    monkeypatch.setattr(gateway, "put_array", put_array)
    one = start()
    for number in range(20):
        assert one.submit(large(), None).result(WITHIN) == number + 1
    gone = [path for message in gateway.taken for path in message.taken.paths]
    assert gone == [f"/there/{number}" for number in range(1, len(gone) + 1)] and len(gone) >= 15


def test_a_forked_child_that_ends_a_run_of_its_parents_touches_nothing_of_it(folder):
    # In a process of its own: this one has gRPC's channels, which stop for a fork, and not always go on.
    done = subprocess.run([sys.executable, "-c", "import test_run; test_run.fork()"], env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (PACKAGE, HERE)))}, timeout=60)
    assert done.returncode == 0


def fork():
    connection = Connection()
    connection.gateway(0).executes = lambda *_: None
    one = Run(connection, RunSettings(2, 0, b"", None, "r", None))
    one.submit(int, None)
    assert until(lambda: one._attempt)
    cancelled = []
    one._attempt.cancel = lambda: cancelled.append(1)
    holds = threading.Event()

    def hold():
        with one._gate:
            holds.set()
            time.sleep(WITHIN)

    threading.Thread(target=hold, daemon=True).start()
    assert holds.wait(WITHIN)
    child = os.fork()
    if child == 0:
        signal.alarm(WITHIN)
        one.close()
        one.abort()
        os._exit(3 if cancelled else 0)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0)
