"""What travels: the gateway's messages, and the container of a payload.

The messages are made from ``gateway.binpb``, the compiled ``gateway.proto`` beside it, so that no generated code ties this package to one version of protobuf.
A container is u32 n, n lengths of u64, then n buffers; numbers are little-endian, and every buffer begins at a multiple of 64 bytes from the container's start.
"""

import struct
from importlib import resources
from typing import Any, List, Sequence

ALIGNMENT = 64

#: The version of the gateway's protocol that this client speaks.
PROTOCOL = 1

_COUNT = struct.Struct("<I")
_ZEROS = bytes(ALIGNMENT)


def _padding(length: int) -> int:
    return -length % ALIGNMENT


def container_bytes(buffers: Sequence[Any]) -> int:
    """Bytes that :func:`pack` will need."""
    total = 4 + 8 * len(buffers)
    for buffer in buffers:
        total += _padding(total) + len(buffer)
    return total


def pack_parts(buffers: Sequence[Any]) -> List[Any]:
    """The container's pieces in order, without copying the buffers. Buffers are bytes or flat views of bytes."""
    head = _COUNT.pack(len(buffers)) + struct.pack(f"<{len(buffers)}Q", *map(len, buffers))
    parts: List[Any] = [head]
    position = len(head)
    for buffer in buffers:
        gap = _padding(position)
        if gap:
            parts.append(_ZEROS[:gap])
        parts.append(buffer)
        position += gap + len(buffer)
    return parts


def pack(buffers: Sequence[Any]) -> bytes:
    """One container of the buffers."""
    return b"".join(pack_parts(buffers))


def unpack(container: Any) -> List[memoryview]:
    """The buffers, as views of the container: writable when it is.

    Raises ValueError when the lengths do not fit the container.
    """
    view = memoryview(container)
    try:
        (count,) = _COUNT.unpack_from(view, 0)
        if count > (len(view) - 4) // 8:
            raise ValueError(f"a payload of {len(view)} bytes cannot hold {count} buffers")
        lengths = struct.unpack_from(f"<{count}Q", view, 4)
    except struct.error as error:
        raise ValueError(f"a payload of {len(view)} bytes is too short") from error
    position = 4 + 8 * count
    buffers = []
    for length in lengths:
        position += _padding(position)
        if position + length > len(view):
            raise ValueError(f"a payload of {len(view)} bytes ends before its buffers do")
        buffers.append(view[position : position + length])
        position += length
    return buffers


class Messages:
    """The classes of the gateway's messages, as attributes, and its methods' names. Made once, when a client first connects."""

    SERVICE = "orleans.joblib.v1.Gateway"

    def __init__(self) -> None:
        from google.protobuf import descriptor_pb2, descriptor_pool

        files = descriptor_pb2.FileDescriptorSet.FromString((resources.files(__package__) / "gateway.binpb").read_bytes())
        pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            pool.AddSerializedFile(file.SerializeToString())
        make = _class_maker(pool)
        for file in files.file:
            for message in file.message_type:
                setattr(self, message.name, make(pool.FindMessageTypeByName(f"{file.package}.{message.name}")))
            for enum in file.enum_type:
                for value in enum.value:
                    setattr(self, value.name, value.number)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"gateway.proto has no message '{name}'")


def _class_maker(pool: Any) -> Any:
    from google.protobuf import message_factory

    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass
    return message_factory.MessageFactory(pool).GetPrototype


_messages = None


def messages() -> Messages:
    """The one set of classes of this process."""
    global _messages
    if _messages is None:
        _messages = Messages()
    return _messages
