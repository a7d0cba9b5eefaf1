"""Messages and containers."""

from importlib import resources
from pathlib import Path

import pytest

from joblib_orleans import wire

PROTO = Path(__file__).resolve().parents[2] / "src" / "Gateway" / "gateway.proto"


def test_gateway_proto_is_the_gateways_own():
    if not PROTO.is_file():
        pytest.skip(f"this is no checkout of the repository: {PROTO} is not there")
    ours = (resources.files("joblib_orleans") / "gateway.proto").read_text()
    assert ours == PROTO.read_text(), "copy src/Gateway/gateway.proto to python/joblib_orleans and run python/compile-proto"


def test_gateway_binpb_is_what_gateway_proto_says():
    # Without a compiler: every message, field and number of the text is in the compiled file, and nothing else.
    from google.protobuf import descriptor_pb2

    text = (resources.files("joblib_orleans") / "gateway.proto").read_text()
    files = descriptor_pb2.FileDescriptorSet.FromString((resources.files("joblib_orleans") / "gateway.binpb").read_bytes())
    said = {}
    kind = None
    for line in text.splitlines():
        words = line.split("//")[0].replace("{", " { ").replace(";", " ; ").split()
        if words[:1] in (["message"], ["enum"]):
            kind = words[1]
            said[kind] = {}
        elif kind and "=" in words and words[0] != "option":
            said[kind][words[words.index("=") - 1]] = int(words[words.index("=") + 1])
    (file,) = files.file
    compiled = {message.name: {field.name: field.number for field in message.field} for message in file.message_type}
    compiled.update({enum.name: {value.name: value.number for value in enum.value} for enum in file.enum_type})
    assert compiled == said
    assert [method.name for method in file.service[0].method] == ["GetCluster", "Run", "PutArray", "GetArray"]


def test_messages_travel():
    messages = wire.messages()
    sent = messages.ClientMessage(batch=messages.Batch(handle=7, payload=b"\0\1", arrays=["/a"]))
    read = messages.ClientMessage.FromString(sent.SerializeToString())
    assert read.WhichOneof("what") == "batch" and read.batch.payload == b"\0\1" and list(read.batch.arrays) == ["/a"]
    assert (messages.COMPLETED, messages.FAILED, messages.FAULT, messages.WORKER_DIED) == (1, 2, 3, 4)


@pytest.mark.parametrize("buffers", [[], [b""], [b"a"], [b"", b"b" * 64, b"c" * 65, b"d"], [bytes(range(256)) * 5] * 30])
def test_container_round_trip(buffers):
    packed = wire.pack(buffers)
    assert len(packed) == wire.container_bytes(buffers)
    assert [bytes(buffer) for buffer in wire.unpack(packed)] == buffers


def test_container_buffers_are_aligned_and_writable():
    import numpy

    packed = bytearray(wire.pack([b"x", numpy.arange(9.0).tobytes()]))
    start = numpy.frombuffer(packed, numpy.uint8).__array_interface__["data"][0]
    buffer = numpy.frombuffer(wire.unpack(packed)[1])
    assert (buffer.__array_interface__["data"][0] - start) % wire.ALIGNMENT == 0
    buffer[0] = 5


@pytest.mark.parametrize("broken", [b"", b"\1", b"\1\0\0\0", b"\1\0\0\0" + (9).to_bytes(8, "little") + b"abc", b"\xff\xff\xff\xff" + b"\0" * 64])
def test_container_that_is_cut_is_refused(broken):
    with pytest.raises(ValueError):
        wire.unpack(broken)
