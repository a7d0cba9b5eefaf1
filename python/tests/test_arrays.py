"""numpy arrays on their way to calls and back, on a cluster."""

import os

import numpy
import pytest
from conftest import until
from joblib import Parallel, delayed

from joblib_orleans import arrays, store

MIB = 1 << 20


def look(array):
    return type(array).__name__, array.flags.writeable, float(array.sum()), os.fspath(getattr(array, "filename", None) or "")


def test_an_array_over_max_nbytes_is_one_file_for_all_calls(cluster):
    array = numpy.random.default_rng(1).normal(size=(1000, 300))
    found = Parallel(n_jobs=2, backend="orleans")(delayed(look)(array) for _ in range(6))
    assert {kind for kind, _, _, _ in found} == {"memmap"} and not any(writable for _, writable, _, _ in found)
    assert all(total == pytest.approx(array.sum()) for _, _, total, _ in found)
    files = {file for _, _, _, file in found}
    assert len(files) == 1 and store.is_segment(files.pop())


@pytest.mark.parametrize("max_nbytes", [None, "10M"])
def test_an_array_below_max_nbytes_is_the_calls_own(cluster, max_nbytes):
    array = numpy.ones(MIB // 4)
    found = Parallel(n_jobs=2, backend="orleans", max_nbytes=max_nbytes)(delayed(look)(array) for _ in range(4))
    assert found == [("ndarray", True, array.sum(), "")] * 4


@pytest.mark.parametrize("mode, kind, writable", [("r", "memmap", False), ("c", "memmap", True), ("r+", "memmap", True), ("w+", "memmap", True), (None, "ndarray", True)])
def test_mmap_mode(cluster, mode, kind, writable):
    array = numpy.ones(MIB)
    found = Parallel(n_jobs=2, backend="orleans", mmap_mode=mode)(delayed(look)(array) for _ in range(2))
    assert [entry[:3] for entry in found] == [(kind, writable, array.sum())] * 2


def test_results_longer_than_a_message_arrive_whatever_max_nbytes(cluster):
    found = Parallel(n_jobs=2, backend="orleans", max_nbytes=None)(delayed(numpy.full)(3 * MIB, float(i)) for i in range(2))
    assert [(type(array), array[0], array[-1], len(array)) for array in found] == [(numpy.ndarray, i, i, 3 * MIB) for i in range(2)]


def test_an_array_of_objects_is_no_file(cluster):
    array = numpy.array(["text", 3, None] * 100, dtype=object)
    assert Parallel(n_jobs=2, backend="orleans", max_nbytes=10)(delayed(type)(array) for _ in range(2)) == [numpy.ndarray] * 2


def test_calls_write_their_rows_of_the_users_memmap(cluster, tmp_path):
    path = tmp_path / "out.bin"
    out = numpy.memmap(path, "f8", "w+", shape=(8, 1000))

    def fill(rows, i):
        rows[i] = i

    Parallel(n_jobs=2, backend="orleans")(delayed(fill)(out, i) for i in range(8))
    assert (out == numpy.arange(8.0)[:, None]).all()


def test_large_results_are_ordinary_arrays_and_leave_no_file(cluster):
    found = Parallel(n_jobs=2, backend="orleans")(delayed(numpy.full)(MIB, float(i)) for i in range(6))
    for i, array in enumerate(found):
        assert type(array) is numpy.ndarray and array.flags.writeable and array[0] == array[-1] == i
        array += 1
    assert until(lambda: segments() == [])


def segments():
    return [name for parent in store.parents() for name in names(store.folder_below(parent)) if store.is_segment_name(name)]


def names(folder):
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def test_every_array_of_its_own_call_is_deleted_with_it(cluster):
    most = []

    def items():
        for i in range(60):
            most.append(len(segments()))
            yield delayed(numpy.sum)(numpy.full(MIB // 4, float(i)))

    found = Parallel(n_jobs=2, backend="orleans", batch_size=1)(items())
    assert found == [i * MIB / 4 for i in range(60)]
    assert max(most) < 30
    assert until(lambda: segments() == [])


def test_an_array_that_changed_between_two_calls_of_a_parallel_is_seen_as_it_is(cluster):
    array = numpy.ones(MIB)
    with Parallel(n_jobs=2, backend="orleans") as parallel:
        first = parallel(delayed(look)(array) for _ in range(2))
        same = parallel(delayed(look)(array) for _ in range(2))
        array[5] = 3
        changed = parallel(delayed(look)(array) for _ in range(2))
    assert {total for _, _, total, _ in first + same} == {MIB} and len({file for *_, file in first + same}) == 1
    assert {total for _, _, total, _ in changed} == {MIB + 2}


def test_data_frames_travel(cluster):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(numpy.random.default_rng(2).normal(size=(50_000, 10)))
    frame["name"] = "x"

    def describe(part, i):
        return part[i].mean(), part[part[i] > 1.0]

    for i, (mean, rows) in enumerate(Parallel(n_jobs=2, backend="orleans")(delayed(describe)(frame, i) for i in range(4))):
        assert mean == pytest.approx(frame[i].mean())
        pandas.testing.assert_frame_equal(rows, frame[frame[i] > 1.0])


def test_batches_and_results_longer_than_a_message(cluster):
    data = os.urandom(70 << 20)
    found = Parallel(n_jobs=2, backend="orleans", batch_size=1)(delayed(bytes)(data) for _ in range(2))
    assert found == [data, data]


def test_temp_folder_is_where_arrays_go(cluster, tmp_path):
    array = numpy.ones(MIB)
    found = Parallel(n_jobs=2, backend="orleans", temp_folder=str(tmp_path))(delayed(look)(array) for _ in range(2))
    assert all(file.startswith(str(tmp_path)) for _, _, _, file in found)
    assert until(lambda: os.listdir(tmp_path) == [])


def test_without_shared_memory_arrays_go_through_the_gateway(cluster, monkeypatch, tmp_path):
    monkeypatch.setattr(store, "IS_SUPPORTED", False)
    array = numpy.random.default_rng(3).normal(size=(700, 700))
    own = numpy.memmap(tmp_path / "own.bin", "f8", "w+", shape=(600, 600))
    own[:] = 2
    own.flush()
    own = numpy.memmap(tmp_path / "own.bin", "f8", "r", shape=(600, 600))

    def work(a, b):
        return a * 2, float(b[::2, ::-1].sum()), type(a).__name__

    for double, total, kind in Parallel(n_jobs=2, backend="orleans")(delayed(work)(array, own[::2, ::-1]) for _ in range(3)):
        assert (double == array * 2).all() and double.flags.writeable and total == 2 * 150 * 600 and kind == "memmap"


def test_an_array_is_kept_for_a_batch_that_is_pickled_while_the_last_one_is_done(monkeypatch):
    sink = arrays.ArraySink(1000, "r")
    array = numpy.arange(1000.0)
    _, first = sink.dump(array)
    known = sink._entry_of

    def entry_of(array):
        entry = known(array)
        sink.done(first)
        return entry

    monkeypatch.setattr(sink, "_entry_of", entry_of)
    _, second = sink.dump(array)
    assert second == first and second[0].users == 1
    _, (elements,) = second[0].pieces()
    assert bytes(elements) == array.tobytes()


def test_a_killed_clients_arrays_are_swept(folder):
    from joblib_orleans.arrays import bytes_head

    held = store.write([folder], bytes_head(10), [b"x" * 10])
    dead = store.write([folder], bytes_head(10), [b"y" * 10])
    dead.close()
    store.sweep(folder)
    assert os.path.exists(held.path) and not os.path.exists(dead.path)
    held.delete()
    store.remove_if_empty(store.folder_below(folder))
    assert os.listdir(folder) == []


def test_a_segment_is_a_npy_file(folder):
    for array in (numpy.arange(12.0).reshape(3, 4), numpy.asfortranarray(numpy.arange(12).reshape(3, 4))):
        elements, order = arrays.bytes_of(array)
        segment = store.write([folder], arrays.segment_head(array.dtype, array.shape, order), [elements])
        assert (numpy.load(segment.path) == array).all() and os.stat(segment.path).st_mode & 0o777 == 0o600
        segment.delete()


def test_a_token_is_proven_by_its_secret_alone(folder):
    token = store.Token(folder)
    proof = store.prove(token.path)
    assert proof and token.is_proven_by(proof) and not token.is_proven_by(b"") and not token.is_proven_by(bytes(32))
    token.delete()
    assert store.prove(token.path) is None


def test_a_folder_of_others_is_refused(folder):
    os.mkdir(store.folder_below(folder))
    os.chmod(store.folder_below(folder), 0o755)
    with pytest.raises(store.StoreError, match="this user alone"):
        store.open_folder(folder)


def test_a_folder_without_room_names_itself_and_the_remedy(folder, monkeypatch):
    monkeypatch.setattr(store, "_room", lambda _: 5)
    with pytest.raises(store.StoreError, match="JOBLIB_TEMP_FOLDER") as raised:
        store.write([folder], b"x" * 10, [])
    assert folder in str(raised.value)
