"""What can fail, and what the user sees."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy
import pytest
from conftest import PACKAGE, is_alive, until
from joblib import Parallel, delayed
from versions import HAS_GENERATORS

from joblib_orleans import LocalCluster, register_orleans
from joblib_orleans.cluster import _environment, _free_port, find_silo
from joblib_orleans.connection import CLUSTER_VARIABLE, parse_address
from joblib_orleans.errors import CallPicklingError, ClusterError, ClusterUnavailableError, MissingModuleError, RemoteError, ResultPicklingError, TerminatedWorkerError


def kill_own_process(i, at):
    if i == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return i


def fail_at_length(length):
    raise ValueError("x" * length)


def test_an_exception_as_large_as_a_result_is_told_and_not_carried(cluster):
    with pytest.raises(RemoteError, match=r"builtins.ValueError, which takes [0-9,]+ bytes, more than .* characters …") as raised:
        Parallel(n_jobs=2, backend="orleans")(delayed(fail_at_length)(40_000_000) for _ in range(2))
    assert len(str(raised.value)) < 1_000_000


def test_no_address_says_what_to_do(monkeypatch):
    monkeypatch.delenv(CLUSTER_VARIABLE, raising=False)
    register_orleans()
    with pytest.raises(ClusterUnavailableError, match=r"register_orleans\('host:port'\).*JOBLIB_ORLEANS_CLUSTER.*LocalCluster"):
        Parallel(n_jobs=2, backend="orleans")([delayed(abs)(1)])


def test_no_cluster_is_an_error_before_any_work(monkeypatch):
    register_orleans("127.0.0.1:1")
    read = []
    with pytest.raises(ClusterUnavailableError, match="127.0.0.1:1"):
        Parallel(n_jobs=2, backend="orleans")(read.append(i) or delayed(abs)(i) for i in range(3))
    assert read == []


@pytest.mark.parametrize(
    "address, said",
    [("", "host:port"), ("host", "host:port"), ("host:0", "host:port"), ("host:http", "host:port"), ("http://host:1", "scheme"), ("host:1?tls=1", "'tls' is not known"), ("host:1?tls-key=a", "tls-certificate"), ("h:1?tls-key=a&tls-certificate=b&tls-ca=c", "not there")],
)
def test_an_address_that_is_none_is_refused(address, said):
    with pytest.raises(ValueError, match=said):
        register_orleans(address)


def test_addresses():
    assert parse_address("grpc://a:1,b:2").endpoints == ("a:1", "b:2")
    assert parse_address(["a:1", "b:2"]).endpoints == ("a:1", "b:2")
    assert parse_address("[::1]:5").endpoints == ("[::1]:5",)


def test_an_argument_that_cannot_be_pickled_is_named(cluster):
    with pytest.raises(CallPicklingError, match=r"call 2, abs: argument 'x' → item 'a' → _thread.lock") as raised:
        Parallel(n_jobs=2, backend="orleans", batch_size=1)(delayed(abs)({"a": threading.Lock()} if i == 2 else i) for i in range(4))
    assert "cannot pickle" in str(raised.value)


def test_a_function_that_cannot_be_pickled_is_named(cluster):
    lock = threading.Lock()

    def locked():
        return lock

    with pytest.raises(CallPicklingError, match=r"captured 'lock' → _thread.lock"):
        Parallel(n_jobs=2, backend="orleans")(delayed(locked)() for _ in range(4))
    # From a later batch, too, which a callback dispatches.
    with pytest.raises(CallPicklingError, match=r"call 25, "):
        Parallel(n_jobs=2, backend="orleans", batch_size=1)(delayed(abs)(i if i != 25 else lock) for i in range(40))


def test_a_result_that_cannot_be_pickled_is_named(cluster):
    with pytest.raises(ResultPicklingError, match="_thread.lock"):
        Parallel(n_jobs=2, backend="orleans")(delayed(threading.Lock)() for _ in range(4))


def test_a_module_that_workers_lack_is_named(cluster, tmp_path, monkeypatch):
    Parallel(n_jobs=2, backend="orleans")(delayed(abs)(i) for i in range(2))
    gone = tmp_path / "gone"
    gone.mkdir()
    (gone / "only_at_the_client.py").write_text("def f(x): return x")
    sys.path.insert(0, str(gone))
    try:
        import only_at_the_client
    finally:
        sys.path.remove(str(gone))
    with pytest.raises(MissingModuleError, match="only_at_the_client.*interpreter"):
        Parallel(n_jobs=2, backend="orleans")(delayed(only_at_the_client.f)(i) for i in range(4))
    del sys.modules["only_at_the_client"]


def test_an_initializer_that_raises_is_told(cluster):
    def initialize():
        raise LookupError("not today")

    from versions import context

    with context("orleans", n_jobs=2, initializer=initialize):
        with pytest.raises(ClusterError, match="not today"):
            Parallel()(delayed(abs)(i) for i in range(4))


def test_a_call_that_kills_its_worker_is_named_and_the_cluster_lives_on(cluster):
    with pytest.raises(TerminatedWorkerError, match=r"call 5, kill_own_process\(5, at=5\)") as raised:
        Parallel(n_jobs=2, backend="orleans", batch_size=4)(delayed(kill_own_process)(i, at=5) for i in range(12))
    assert raised.value.joblib_call_index == 5
    assert Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(3)) == [0, 1, 2]


def test_a_worker_that_is_killed_once_loses_nothing(cluster, tmp_path):
    def work(i):
        mark = tmp_path / "killed"
        if i == 7 and not mark.exists():
            mark.write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
        return i

    assert Parallel(n_jobs=2, backend="orleans", batch_size=3)(delayed(work)(i) for i in range(30)) == list(range(30))
    assert (tmp_path / "killed").exists()


def test_a_silo_that_is_killed_ends_the_loop_with_an_error(own_cluster, monkeypatch):
    monkeypatch.setattr("joblib_orleans.run.RECONNECTS_FOR", 2.0)
    cluster = own_cluster()
    threading.Timer(1.0, os.kill, (cluster.pid, signal.SIGKILL)).start()
    started = time.monotonic()
    with pytest.raises(ClusterUnavailableError):
        Parallel(n_jobs=2, backend="orleans", batch_size=1)(delayed(time.sleep)(0.2) for _ in range(100))
    assert time.monotonic() - started < 30


def test_a_run_whose_gateway_is_killed_goes_on_at_the_next(own_cluster):
    # Two silos of one cluster, each with a gateway; the first one's address is given second.
    first = own_cluster(slots=1)
    command = [*find_silo(), "--cluster", "localhost", "--silo-port", str(_free_port()), "--primary-port", str(first.silo_port), "--gateway-port", "0", "--health-port", "0", "--grpc-port", "0"]
    command += ["--python", sys.executable, "--slots", "1", "--exit-with-parent", str(os.getpid()), "--json", "--log-level", "Error"]
    second = subprocess.Popen(command, stdout=subprocess.PIPE, env=_environment(None))
    try:
        address = json.loads(second.stdout.readline())["grpc"]
        register_orleans([address, first.address])
        array = numpy.ones(1 << 18)

        def items():
            for i in range(60):
                if i == 20:
                    second.kill()
                yield delayed(slow_sum)(array, i)

        found = Parallel(n_jobs=2, backend="orleans", batch_size=1)(items())
        assert found == [(1 << 18) + i for i in range(60)]
    finally:
        second.kill()
        second.wait()
        second.stdout.close()


def slow_sum(array, i):
    time.sleep(0.05)
    return float(array.sum()) + i


def test_a_closed_cluster_is_no_cluster_any_more(own_cluster):
    cluster = own_cluster()
    register_orleans("127.0.0.1:1")
    cluster.register()
    assert Parallel(n_jobs=2, backend="orleans")(delayed(os.getpid)() for _ in range(2))
    cluster.close()
    cluster.close()
    with pytest.raises(ClusterUnavailableError, match="127.0.0.1:1"):
        Parallel(n_jobs=2, backend="orleans")(delayed(os.getpid)() for _ in range(2))


def test_a_close_that_is_interrupted_ends_the_silo(own_cluster, monkeypatch):
    cluster = own_cluster()
    assert Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(2)) == [0, 1]

    def interrupt(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("joblib_orleans.run.end_all", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cluster.close()
    assert not is_alive(cluster.pid)


def test_a_loop_whose_cluster_is_closed_raises(own_cluster, tmp_path):
    cluster = own_cluster()
    started = tmp_path / "started"

    def work():
        started.touch()
        time.sleep(60)

    closer = threading.Thread(target=lambda: until(started.exists) and cluster.close())
    closer.start()
    with pytest.raises(ClusterUnavailableError, match="has been closed"):
        Parallel(n_jobs=2, backend="orleans", batch_size=1, timeout=40)(delayed(work)() for _ in range(4))
    closer.join(60)


@pytest.mark.skipif(not HAS_GENERATORS, reason="joblib before 1.3 has no generators")
def test_a_generator_whose_cluster_is_closed_raises(own_cluster):
    with own_cluster():
        found = Parallel(n_jobs=2, backend="orleans", batch_size=1, timeout=20, return_as="generator")(delayed(time.sleep)(60) for _ in range(4))
    with pytest.raises(ClusterUnavailableError, match="has been closed"):
        list(found)


def test_a_silo_without_python_says_so(own_cluster):
    with pytest.raises(ClusterError) as raised:
        own_cluster(python="/nowhere/python3")
    assert "/nowhere/python3" in str(raised.value)


def test_no_silo_executable_is_named(monkeypatch):
    monkeypatch.setenv("JOBLIB_SILO", "/nowhere/joblib-silo")
    with pytest.raises(ClusterError, match="/nowhere/joblib-silo"):
        LocalCluster()


def certificates(folder):
    """An authority, and certificates of a silo on this machine and of a client that it vouches for."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority", "-days", "2")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n")
    for name in ("silo", "client"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile", "names")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl to make certificates with")
def test_mutual_tls(own_cluster, tmp_path, monkeypatch):
    certificates(tmp_path)
    tls = ["--tls-certificate", str(tmp_path / "silo.pem"), "--tls-key", str(tmp_path / "silo.key"), "--tls-ca", str(tmp_path / "ca.pem")]
    cluster = own_cluster(arguments=[*tls, "--grpc-address", "0.0.0.0"], register=False)
    address = f"127.0.0.1:{cluster.address.rpartition(':')[2]}"
    register_orleans(f"{address}?tls-certificate={tmp_path}/client.pem&tls-key={tmp_path}/client.key&tls-ca={tmp_path}/ca.pem")
    assert Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(5)) == list(range(5))
    register_orleans(address)
    with pytest.raises(ClusterUnavailableError, match="tls-certificate"):
        Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(5))
    for name in ("CERTIFICATE", "KEY", "CA"):
        file = tmp_path / {"CERTIFICATE": "client.pem", "KEY": "client.key", "CA": "ca.pem"}[name]
        monkeypatch.setenv(f"JOBLIB_TLS_{name}", str(file))
    register_orleans(address)
    assert Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(5)) == list(range(5))


def script(text, **environment):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=90,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PACKAGE), os.environ.get("PYTHONPATH", "")]), **environment},
    )


def test_a_forked_child_is_told_and_ends(cluster):
    done = script(
        """
        import os, sys, multiprocessing
        from joblib import Parallel, delayed
        from joblib_orleans import register_orleans
        register_orleans(os.environ["ADDRESS"])
        assert Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(3)) == [0, 1, 2]
        child = os.fork()
        if child == 0:
            try:
                Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(3))
            except Exception as error:
                print(type(error).__name__, error, flush=True)
            sys.exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        with multiprocessing.get_context("fork").Pool(1) as pool:
            print(pool.map(abs, [-5]))
        assert Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(3)) == [0, 1, 2]
        print("parent works")
        """,
        ADDRESS=cluster.address,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ClusterError") and "forked" in lines[0] and "spawn" in lines[0]
    assert lines[1:] == ["7", "[5]", "parent works"]


def test_a_child_that_is_forked_before_the_first_loop_works(cluster):
    done = script(
        """
        import os
        from joblib import Parallel, delayed
        from joblib_orleans import register_orleans
        register_orleans(os.environ["ADDRESS"])
        child = os.fork()
        assert Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(3)) == [0, 1, 2]
        if child:
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
        ADDRESS=cluster.address,
    )
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


def test_a_program_that_ends_leaves_no_process():
    from conftest import silo_is_missing

    if silo_is_missing():
        pytest.skip(silo_is_missing())
    done = script(
        """
        import os
        from joblib import Parallel, delayed
        from joblib_orleans import LocalCluster
        cluster = LocalCluster(slots=2)
        print(cluster.pid, *set(Parallel(n_jobs=2, backend="orleans", batch_size=1)(delayed(os.getpid)() for i in range(8))))
        """
    )
    assert done.returncode == 0, done.stderr
    processes = [int(word) for word in done.stdout.split()]
    assert len(processes) >= 2 and until(lambda: not any(map(is_alive, processes)))


def test_a_client_that_is_killed_ends_its_run(cluster, tmp_path):
    told = tmp_path / "pid"
    client = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(
            f"""
            import os, time
            from joblib import Parallel, delayed
            from joblib_orleans import register_orleans
            register_orleans({cluster.address!r})
            def hang():
                import os, time
                path = {str(told)!r} + str(os.getpid())
                open(path, "w").write(str(os.getpid()))
                time.sleep(600)
            Parallel(n_jobs=2, backend="orleans", batch_size=1)(delayed(hang)() for _ in range(2))
            """
        )],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PACKAGE), os.environ.get("PYTHONPATH", "")])},
    )
    assert until(lambda: list(tmp_path.iterdir()), 30)
    client.kill()
    client.wait()
    workers = [int(path.name[3:]) for path in tmp_path.iterdir()]
    assert until(lambda: not any(map(is_alive, workers)), 40)
    assert Parallel(n_jobs=2, backend="orleans")(delayed(abs)(-i) for i in range(3)) == [0, 1, 2]


def test_ctrl_c_ends_a_loop_at_once(cluster, tmp_path):
    done = script(
        f"""
        import os, signal, threading, time
        from joblib import Parallel, delayed
        from joblib_orleans import register_orleans
        register_orleans({cluster.address!r})
        threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        started = time.monotonic()
        try:
            Parallel(n_jobs=2, backend="orleans", batch_size=1)(delayed(time.sleep)(60) for _ in range(4))
        except KeyboardInterrupt:
            print("interrupted", time.monotonic() - started < 10)
        """
    )
    assert (done.returncode, done.stdout) == (0, "interrupted True\n"), done.stderr
