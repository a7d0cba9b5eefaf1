"""Addresses of clusters, and this process's gRPC channels to their gateways."""

import atexit
import os
import threading
import urllib.parse
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from . import wire
from .errors import ClusterError, ClusterUnavailableError

CLUSTER_VARIABLE = "JOBLIB_ORLEANS_CLUSTER"
_TLS = {"tls-certificate": "JOBLIB_TLS_CERTIFICATE", "tls-key": "JOBLIB_TLS_KEY", "tls-ca": "JOBLIB_TLS_CA"}

# Before gRPC's first use in this process. Its handlers would stop its threads for every fork of this process, loky's workers and subprocesses among them, and sometimes
# wait there for ever. A forked child gets an error here (below) instead of a channel that works.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

#: Seconds until a gateway that says nothing counts as not there.
ANSWERS_WITHIN = 10.0

#: gRPC's own bounds are lifted: batches are bounded by the gateway, results by nothing. Both ends notice a dead other one within 20 s.
_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    # The least time for an attempt to connect, too.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
]


class Address(NamedTuple):
    """Gateways of one cluster, and the files of this client's certificate, its key and the authority's certificate; all three or none."""

    endpoints: Tuple[str, ...]
    certificate: Optional[str] = None
    key: Optional[str] = None
    authority: Optional[str] = None

    def __str__(self) -> str:
        return ",".join(self.endpoints)


def parse_address(text: Union[str, Sequence[str], None]) -> Address:
    """``[grpc://]host:port[,host:port…][?tls-certificate=…&tls-key=…&tls-ca=…]``; None for the environment's JOBLIB_ORLEANS_CLUSTER.

    Raises ValueError for what is no address, and ClusterUnavailableError when there is none at all.
    """
    if text is None:
        text = os.environ.get(CLUSTER_VARIABLE) or None
        if text is None:
            raise ClusterUnavailableError(
                "There is no cluster to run on. Call register_orleans('host:port') with the gateway of a silo (joblib-silo --grpc-port), "
                f"set the environment variable {CLUSTER_VARIABLE} to it, or start one on this machine with LocalCluster().",
                "cluster-not-reached",
            )
    elif not isinstance(text, str):
        text = ",".join(text)
    endpoints, _, query = text.partition("?")
    if "://" in endpoints:
        scheme, _, endpoints = endpoints.partition("://")
        if scheme != "grpc":
            raise ValueError(f"'{text}' is no address of a cluster: its scheme is '{scheme}', not 'grpc'.")
    found = []
    for endpoint in endpoints.rstrip("/").split(","):
        host, _, port = endpoint.strip().rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(f"'{endpoint}' is no gateway of a cluster: say 'host:port', as in 'silo-1:30443,silo-2:30443'.")
        found.append(f"{host}:{port}")
    given = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    for name in given:
        if name not in _TLS:
            raise ValueError(f"'{name}' is not known in the address of a cluster; these are: {', '.join(_TLS)}.")
    files = [given.get(name) or os.environ.get(variable) or None for name, variable in _TLS.items()]
    missing = [f"'{name}' ({variable})" for (name, variable), file in zip(_TLS.items(), files) if not file]
    if missing and len(missing) < len(files):
        raise ValueError(f"Mutual TLS needs three files; of the address '{endpoints}' these are missing: {', '.join(missing)}.")
    for name, file in zip(_TLS, files):
        if file and not os.path.isfile(file):
            raise ValueError(f"'{name}' names a file that is not there: '{file}'.")
    return Address(tuple(found), *files)


class Gateway:
    """One endpoint: its channel, made when it is first used, and its methods. Thread-safe."""

    def __init__(self, address: Address, endpoint: str):
        import grpc

        if address.certificate:
            with open(address.certificate, "rb") as certificate, open(address.key or "", "rb") as key, open(address.authority or "", "rb") as authority:
                credentials = grpc.ssl_channel_credentials(authority.read(), key.read(), certificate.read())
            self._channel = grpc.secure_channel(endpoint, credentials, _OPTIONS)
        else:
            self._channel = grpc.insecure_channel(endpoint, _OPTIONS)
        self.endpoint = endpoint
        messages = wire.messages()
        prefix = f"/{messages.SERVICE}/"
        channel = self._channel
        self.get_cluster = channel.unary_unary(prefix + "GetCluster", messages.ClusterRequest.SerializeToString, messages.ClusterReply.FromString)
        self.run = channel.stream_stream(prefix + "Run", messages.ClientMessage.SerializeToString, messages.GatewayMessage.FromString)
        self.put_array = channel.stream_unary(prefix + "PutArray", messages.ArrayPart.SerializeToString, messages.ArrayPlace.FromString)
        self.get_array = channel.unary_stream(prefix + "GetArray", messages.ArrayRequest.SerializeToString, messages.ArrayPart.FromString)

    def close(self) -> None:
        self._channel.close()


class Connection:
    """The gateways of one cluster. Thread-safe."""

    def __init__(self, address: Address):
        self.address = address
        self._gateways: Dict[str, Gateway] = {}
        self._lock = threading.Lock()
        self._best = 0

    def gateway(self, attempt: int = 0) -> Gateway:
        """The one that answered last, or for further attempts those after it."""
        with self._lock:
            endpoint = self.address.endpoints[(self._best + attempt) % len(self.address.endpoints)]
            gateway = self._gateways.get(endpoint)
            if gateway is None:
                gateway = self._gateways[endpoint] = Gateway(self.address, endpoint)
            return gateway

    def prefer(self, gateway: Gateway) -> None:
        """This one answers."""
        with self._lock:
            self._best = self.address.endpoints.index(gateway.endpoint)

    def cluster(self) -> Any:
        """What the cluster has to give, as a ClusterReply.

        Raises ClusterUnavailableError when no gateway answers in 10 s, ClusterError when it speaks another protocol or has no workers for Python.
        """
        import grpc

        messages = wire.messages()
        last: Any = None
        for attempt in range(len(self.address.endpoints)):
            gateway = self.gateway(attempt)
            try:
                reply = gateway.get_cluster(messages.ClusterRequest(runtime="python"), timeout=ANSWERS_WITHIN)
            except grpc.RpcError as error:
                last = error
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                    break
                continue
            self.prefer(gateway)
            if reply.protocol != wire.PROTOCOL:
                raise ClusterError(
                    f"The gateway at '{gateway.endpoint}' (version {reply.version}) speaks protocol {reply.protocol}, this client {wire.PROTOCOL}: install the joblib-orleans of the cluster's version.",
                    "protocol-version",
                )
            if reply.slots <= 0:
                raise ClusterError(
                    f"The cluster at '{self.address}' has {reply.all_slots} slots, but none for Python: start its silos with '--python /path/to/python3'.", "silo-without-python"
                )
            return reply
        raise error_of(last, self.address)

    def close(self) -> None:
        with self._lock:
            gateways, self._gateways = list(self._gateways.values()), {}
        for gateway in gateways:
            gateway.close()


def error_of(error: Any, address: Address) -> ClusterError:
    """The error that a failed call to a gateway means."""
    import grpc

    code = error.code() if isinstance(error, grpc.Call) else None
    details = (error.details() if isinstance(error, grpc.Call) else str(error)) or ""
    heading = dict(error.trailing_metadata() or ()).get("joblib-error") if isinstance(error, grpc.Call) else None
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        tls = " Gateways on loopback want no TLS." if address.certificate else " Gateways off loopback want TLS: see 'tls-certificate'."
        unavailable = ClusterUnavailableError(f"No gateway answers at '{address}': {details}. Is a silo with '--grpc-port' running there?{tls}", heading or "cluster-not-reached")
        unavailable.__cause__ = error
        return unavailable
    other = ClusterError(details or f"the gateway at '{address}' answered {code}", heading)
    other.__cause__ = error
    return other


def warm_up() -> None:
    """Imports gRPC, and makes the classes of its messages: a good tenth of a second that may pass while something else starts."""
    import grpc  # noqa: F401

    wire.messages()


_connections: Dict[Address, Connection] = {}
_gate = threading.Lock()
_lost_to_fork: List[Any] = []


def connection_to(address: Address) -> Connection:
    """The one connection of this process.

    Raises ClusterError in a process that was forked from one that had a connection: gRPC's threads are not in it.
    """
    with _gate:
        if _lost_to_fork:
            raise ClusterError(
                "This process was forked from one that had talked to a cluster, and gRPC does not survive that. Start processes with the method 'spawn' or 'forkserver' "
                "(multiprocessing.set_start_method), or talk to the cluster only in the children.",
                "forked-client",
            )
        known = _connections.get(address)
        if known is None:
            known = _connections[address] = Connection(address)
        return known


def addresses_of(endpoint: str) -> List[Address]:
    """Those of this process's connections that may lead to a gateway."""
    with _gate:
        return [address for address in _connections if endpoint in address.endpoints]


def forget(address: Address) -> None:
    """Closes the channels to a cluster that has ended."""
    with _gate:
        known = _connections.pop(address, None)
    if known is not None:
        known.close()


def _after_fork_in_child() -> None:
    global _gate
    _gate = threading.Lock()
    if _connections:
        # Kept for ever: to close a channel is to wait for threads that are not here.
        _lost_to_fork.append(dict(_connections))
        _connections.clear()


def _close_all() -> None:
    with _gate:
        everything = list(_connections.values())
        _connections.clear()
    for one in everything:
        one.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(_close_all)
