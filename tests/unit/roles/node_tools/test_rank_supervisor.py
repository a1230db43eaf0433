# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of a rank: start, readiness, death, restart, giving up, and a stop that is asked for."""

from __future__ import annotations

import contextlib
import mmap
import os
import pathlib
import signal
import socket
import subprocess
import sys
import types
import typing as t

import pytest

from tests.fakes import stub_endpoint as stub
from tests.unit.roles.node_tools.conftest import NAME, SUPERVISOR, Docker, Sleeps, Systemd

Spec = dict[str, t.Any]
Write = t.Callable[..., pathlib.Path]

RUN = f"run --detach --name {NAME} --network host engine:1 serve"
ENDED = f"the container {NAME} ended with exit code 3: two | three | bind: Address already in use"


def http_probe(url: str) -> dict[str, str]:
    return {"kind": "http", "url": f"{url}/health"}


def closed_port() -> dict[str, t.Any]:
    """Return a probe of a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return {"kind": "tcp", "address": "127.0.0.1", "port": server.getsockname()[1]}


# --- one start --------------------------------------------------------------------------------------------------------


def test_a_start_sweeps_runs_and_is_ready(
    supervisor: types.ModuleType, docker: Docker, systemd: Systemd, sleeps: Sleeps, spec: Spec
) -> None:
    with stub.serving({"/health": stub.answer(200, b"")}) as url:
        spec |= {"waits": [http_probe(url)], "ready": [http_probe(url)]}
        supervisor.Rank(spec).start()
    assert docker.calls[:4] == [f"kill {NAME}", f"rm --force {NAME}-before", f"rm --force {NAME}", RUN]
    assert docker.verbs[4:] == ["inspect"]
    assert sleeps == []
    [starting, ready] = systemd.all()
    assert starting == f"STATUS=starting {NAME}"
    status, notice = ready.split("\n")
    assert status.startswith("STATUS=ready after ")
    assert notice == "READY=1"


def test_what_is_needed_is_waited_for_before_the_start(
    supervisor: types.ModuleType, docker: Docker, systemd: Systemd, sleeps: Sleeps, spec: Spec
) -> None:
    seen: list[list[str]] = []
    sleeps.then = lambda _seconds: seen.append(docker.verbs)
    late = stub.in_turn(stub.answer(503, b""), stub.answer(503, b""), stub.answer(200, b""))
    with stub.serving({"/health": late}) as url:
        supervisor.Rank({**spec, "waits": [http_probe(url)], "wait_budget_seconds": 600}).start()
    assert sleeps == [2, 2]
    assert seen == [["kill"], ["kill"]], "the log of the last container stays meanwhile"
    told = [one for one in systemd.all() if "waiting" in one]
    assert told == [f"STATUS=waiting: {url}/health answered 503"], "the same words are told once"


def test_loading_ends_when_each_probe_has_passed_once(
    supervisor: types.ModuleType, docker: Docker, sleeps: Sleeps, spec: Spec
) -> None:
    """A probe that has passed is not asked again while the next one is made."""
    first = stub.in_turn(stub.answer(200, b""), stub.answer(500, b""))
    second = stub.in_turn(stub.answer(500, b""), stub.answer(200, b""))
    with stub.serving({"/health": first, "/second": second}) as url:
        spec |= {"ready": [http_probe(url), {"kind": "http", "url": f"{url}/second"}], "ready_budget_seconds": 600}
        supervisor.Rank(spec).start()
    assert sleeps == [2]


@pytest.mark.parametrize(("kind", "doing"), [("wait", "waiting"), ("ready", "loading")])
def test_a_spent_budget_is_a_failure(
    supervisor: types.ModuleType, docker: Docker, sleeps: Sleeps, spec: Spec, kind: str, doing: str
) -> None:
    probe = closed_port()
    spec |= {"waits" if kind == "wait" else "ready": [probe]}
    with pytest.raises(supervisor.RankFailedError) as failed:
        supervisor.Rank(spec).start()
    assert str(failed.value).startswith(f"{doing}: 127.0.0.1:{probe['port']} does not accept: ")
    assert str(failed.value).endswith("(budget of 0 s spent)")
    assert (RUN in docker.calls) is (kind == "ready")
    assert sleeps == []


def test_a_container_that_ends_while_loading_is_a_failure(
    supervisor: types.ModuleType, docker: Docker, sleeps: Sleeps, spec: Spec
) -> None:
    sleeps.then = lambda _seconds: docker.is_now("false 3")
    spec |= {"ready": [closed_port()], "ready_budget_seconds": 600}
    with pytest.raises(supervisor.RankFailedError) as failed:
        supervisor.Rank(spec).start()
    assert str(failed.value) == ENDED
    assert sleeps == [2]


def test_a_run_that_docker_refuses_is_a_failure(supervisor: types.ModuleType, docker: Docker, spec: Spec) -> None:
    docker.refuses()
    with pytest.raises(supervisor.RankFailedError, match="docker run failed: Unable to find image 'engine:1'"):
        supervisor.Rank(spec).start()


def test_a_port_that_somebody_has_is_a_failure_before_the_start(
    supervisor: types.ModuleType, docker: Docker, spec: Spec
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = {"address": "127.0.0.1", "port": server.getsockname()[1]}
        with pytest.raises(supervisor.RankFailedError, match="Address already in use, by "):
            supervisor.Rank({**spec, "ports": [where]}).start()
    assert docker.verbs == ["kill", "rm", "rm"]


def test_a_container_that_is_gone_is_a_failure(supervisor: types.ModuleType, docker: Docker, spec: Spec) -> None:
    with pytest.raises(supervisor.RankFailedError, match=f"the container {NAME} is gone"):
        supervisor.Rank(spec).must_hold()


def test_a_docker_that_is_restarted_says_nothing_of_the_rank(
    supervisor: types.ModuleType, docker: Docker, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    rank = supervisor.Rank(spec)
    docker.is_now("true 0")
    rank.must_hold()
    docker.is_silent()
    rank.must_hold()
    monkeypatch.setattr(supervisor, "BLIND_SECONDS", -1)
    with pytest.raises(supervisor.RankFailedError, match="Docker has not answered for -1 s: Cannot connect"):
        rank.must_hold()
    docker.is_silent(False)
    rank.must_hold()
    docker.is_now("false 1")
    with pytest.raises(supervisor.RankFailedError, match="ended with exit code 1"):
        rank.must_hold()
    assert "stop" not in docker.verbs


@pytest.mark.parametrize(
    ("failed", "state", "calls"),
    [
        (False, "2026-11-22T10:00:00Z", ["rm --force NAME-before", "rm --force NAME"]),
        (
            True,
            "2026-11-22T10:00:00Z",
            ["inspect", "rm --force NAME-before", "rename NAME NAME-before", "rm --force NAME"],
        ),
        # Made, and never started; and not even made: the log of the one before still says why.
        (True, "0001-01-01T00:00:00Z", ["inspect", "rm --force NAME"]),
        (True, "", ["inspect", "rm --force NAME"]),
    ],
)
def test_the_log_of_the_last_container_that_ran_is_kept(
    supervisor: types.ModuleType, docker: Docker, spec: Spec, failed: bool, state: str, calls: list[str]
) -> None:
    rank = supervisor.Rank({**spec, "sweep": []})
    rank.failed = failed
    if state:
        docker.is_now(state)
    rank.sweep()
    said = ["inspect" if call.startswith("inspect") else call.replace(NAME, "NAME") for call in docker.calls]
    assert said == calls


def test_a_container_that_has_lost_its_process_is_as_good_as_ended(
    supervisor: types.ModuleType, docker: Docker, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.is_now("true 0")
    docker.says("RuntimeError: Executor worker died\n")
    inside = [{"mpirun"}, {"mpirun", "serve"}, {"mpirun", "serve"}, {"mpirun"}]
    monkeypatch.setattr(supervisor, "processes", lambda _name: inside.pop(0))
    rank = supervisor.Rank({**spec, "process": "serve"})
    for _look in range(3):
        # Before it has been seen it may be absent: it comes after mpirun.
        rank.must_hold()
    with pytest.raises(supervisor.RankFailedError) as failed:
        rank.must_hold()
    assert str(failed.value) == f"serve ended in the container {NAME}: RuntimeError: Executor worker died"


def test_a_new_container_begins_without_its_process(
    supervisor: types.ModuleType, docker: Docker, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "processes", lambda _name: set())
    rank = supervisor.Rank({**spec, "process": "serve"})
    rank.process_seen = True
    rank.start()
    rank.must_hold()


# --- watching ---------------------------------------------------------------------------------------------------------


def test_only_failures_in_a_row_are_a_death(
    supervisor: types.ModuleType, docker: Docker, sleeps: Sleeps, spec: Spec, capsys: pytest.CaptureFixture[str]
) -> None:
    docker.is_now("true 0")
    good, bad = stub.answer(200, b""), stub.answer(500, b"")
    with stub.serving({"/health": stub.in_turn(bad, good, bad, bad)}) as url:
        with pytest.raises(supervisor.RankFailedError, match="/health answered 500"):
            supervisor.Rank({**spec, "alive": [http_probe(url)]}).watch()
        assert capsys.readouterr().out.splitlines() == [
            f"alive? {count} of 2: {url}/health answered 500" for count in (1, 1, 2)
        ]
    assert sleeps == [7, 7, 7, 7]


def test_a_container_that_ends_is_dead_at_once(
    supervisor: types.ModuleType, docker: Docker, sleeps: Sleeps, spec: Spec
) -> None:
    docker.is_now("false 3")
    with pytest.raises(supervisor.RankFailedError) as failed:
        supervisor.Rank({**spec, "alive_failures": 100}).watch()
    assert (str(failed.value), sleeps) == (ENDED, [7])


def test_loading_tells_how_far_it_is(
    supervisor: types.ModuleType, docker: Docker, systemd: Systemd, sleeps: Sleeps, spec: Spec
) -> None:
    docker.says("Loading safetensors checkpoint shards:  41% Completed | 67/163\\r")
    late = stub.in_turn(stub.answer(503, b""), stub.answer(200, b""))
    with stub.serving({"/health": late}) as url:
        supervisor.Rank({**spec, "ready": [http_probe(url)], "ready_budget_seconds": 600}).start()
    assert "STATUS=loading: Loading safetensors checkpoint shards 41 %" in systemd.all()


PARTS = {
    "begin_seconds": 900,
    "compile_seconds": 1800,
    "read_bytes": 0,
    "directory": "/models/x",
    "read_gbs": 0.0,
    "assumed_gbs": 0.2,
    "unseen": [],
}


def test_a_start_says_what_its_time_is_made_of(
    supervisor: types.ModuleType, docker: Docker, systemd: Systemd, sleeps: Sleeps, spec: Spec, tmp_path: pathlib.Path
) -> None:
    spec |= {"ready_budget_seconds": 2700, "budget": PARTS, "cache": {"directory": str(tmp_path), "name": "x"}}
    late = stub.in_turn(stub.answer(503, b""), stub.answer(200, b""), stub.answer(503, b""), stub.answer(200, b""))
    with stub.serving({"/health": late}) as url:
        supervisor.Rank({**spec, "ready": [http_probe(url)]}).start()
        supervisor.Rank({**spec, "ready": [http_probe(url)]}).start()
    told = systemd.all()
    cold = "2700 s: 900 s to begin, 1800 s for kernels, 0 s for 0.0 GB at 0.2 GB/s (assumed)"
    warm = "900 s: 900 s to begin, kernels are there, 0 s for 0.0 GB at 0.2 GB/s (assumed)"
    assert f"STATUS=loading: {url}/health answered 503 (within {cold})" in told
    assert any(one.startswith("STATUS=ready after ") and one.endswith(f" s of {cold}\nREADY=1") for one in told)
    assert f"STATUS=loading: {url}/health answered 503 (within {warm})" in told


@pytest.mark.parametrize(
    ("rank", "heard", "expected"),
    [
        (0, (0.0, 0), "900 s: mine"),
        (0, (1000.0, 2), "1000 s: rank 2 needs it"),
        (1, (0.0, 0), "2700 s: rank 0 decides; here 900 s: mine"),
    ],
)
def test_the_slowest_rank_of_a_group_decides(
    supervisor: types.ModuleType, spec: Spec, rank: int, heard: tuple[float, int], expected: str
) -> None:
    group = {"name": "x", "rank": rank, "address": "127.0.0.1", "port": 1, "peers": []}
    one = supervisor.Rank({**spec, "group": group, "ready_budget_seconds": 2700})
    one.group.longest = lambda: heard
    assert str(one.allowed(supervisor.rank_budget.Allowance(900.0, "mine"))) == expected


def test_an_engine_that_is_silent_is_dead_after_two_questions(
    supervisor: types.ModuleType, docker: Docker, sleeps: Sleeps, spec: Spec, capsys: pytest.CaptureFixture[str]
) -> None:
    docker.is_now("true 0")
    with stub.serving({"/health": stub.answer(200, b""), "/v1/completions": stub.answer(500, b"")}) as url:
        tokens = {
            "kind": "tokens",
            "url": f"{url}/v1/completions",
            "model": "m",
            "idle_seconds": 0,
            "timeout_seconds": 5,
        }
        with pytest.raises(supervisor.RankFailedError, match=r"no token: .* answered 500"):
            supervisor.Rank({**spec, "alive": [http_probe(url), tokens], "alive_failures": 6}).watch()
    assert [line[:16] for line in capsys.readouterr().out.splitlines()] == ["alive? 3 of 6: n", "alive? 6 of 6: n"]


# --- a stop that is asked for -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "slept"),
    [
        ([stub.answer(200, b"x:running 2\n"), stub.answer(200, b"x:running 0\n")], [1]),
        ([stub.answer(200, b"x:other 2\n")], []),
        ([stub.answer(500, b"")], []),
    ],
)
def test_a_stop_waits_for_requests(
    supervisor: types.ModuleType, docker: Docker, sleeps: Sleeps, spec: Spec, answers: t.Any, slept: list[int]
) -> None:
    with stub.serving({"/metrics": stub.in_turn(*answers)}) as url:
        rank = supervisor.Rank(
            {**spec, "drain": {"metrics_url": f"{url}/metrics", "gauges": ["x:running"], "seconds": 9}}
        )
        rank.drain()
        assert sleeps == [], "what is not ready serves nothing"
        rank.say("ready after 1 s", ready=True)
        rank.drain()
    assert sleeps == slept


def test_a_drain_is_bounded(supervisor: types.ModuleType, docker: Docker, sleeps: Sleeps, spec: Spec) -> None:
    now = iter([0.0, 0.0, 5.0, 9.5])
    sleeps.monotonic = lambda: next(now)
    with stub.serving({"/metrics": stub.answer(200, b"x:running 2\n")}) as url:
        rank = supervisor.Rank(
            {**spec, "drain": {"metrics_url": f"{url}/metrics", "gauges": ["x:running"], "seconds": 9}}
        )
        rank.told = "ready after 1 s"
        rank.drain()
    assert sleeps == [1, 1]


# --- again and again --------------------------------------------------------------------------------------------------


def test_a_dead_rank_is_started_again_more_slowly_and_given_up(
    supervisor: types.ModuleType, docker: Docker, systemd: Systemd, sleeps: Sleeps, spec: Spec
) -> None:
    sleeps.then = lambda seconds: docker.is_now("false 3") if seconds == 7 else None
    assert supervisor.Rank(spec).keep() == supervisor.GIVEN_UP == 78
    assert sleeps == [7, 2, 7, 5, 7]
    first, again = ["kill", "rm", "rm"], ["kill", "inspect", "rm", "rename", "rm"]
    round_of = ["run", "inspect", "logs", "stop"]
    assert docker.verbs == [*first, *round_of, *again, *round_of, *again, *round_of]
    assert f"rename {NAME} {NAME}-before" in docker.calls, "its log says why it failed"
    assert docker.calls[-1] == f"stop --time 1 {NAME}"
    told = systemd.all()
    assert [one for one in told if "READY=1" not in one] == [
        f"STATUS=starting {NAME}",
        f"STATUS=failed: {ENDED}; next start in 2 s",
        f"STATUS=starting {NAME}",
        f"STATUS=failed 2 times: {ENDED}; next start in 5 s",
        f"STATUS=starting {NAME}",
        f"STATUS=given up after 3 failures, the last one: {ENDED}",
    ]
    assert len(told) == 6 + 3


def test_failures_long_ago_do_not_count(
    supervisor: types.ModuleType, docker: Docker, sleeps: Sleeps, spec: Spec
) -> None:
    """Each failure comes more than an hour after the one before, but for the last three."""
    failures = iter([0.0, 4000.0, 8000.0, 8001.0, 8002.0])
    now = [0.0]
    sleeps.monotonic = lambda: now[0]
    start = supervisor.Rank.start

    class Rank(supervisor.Rank):  # type: ignore[name-defined]
        def start(self) -> None:
            now[0] = next(failures)
            start(self)

    docker.refuses()
    assert Rank(spec).keep() == 78
    assert sleeps == [2, 2, 2, 5]


def test_the_others_are_told_how_often_a_rank_failed(
    supervisor: types.ModuleType, docker: Docker, sleeps: Sleeps, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for rank 0 on another node sees why, and that it is the second time."""
    told: list[tuple[str, str]] = []

    class Group:
        leads = True

        def serve(self) -> None: ...

        def lacks(self) -> str:
            return ""

        def needs(self, _seconds: float) -> None: ...

        def tell(self, phase: str, why: str = "") -> None:
            told.append((phase, why))

    docker.refuses()
    monkeypatch.setattr(supervisor, "Group", lambda _spec: Group())
    monkeypatch.setattr(supervisor, "LAST_WORD_SECONDS", 0)
    spec["give_up"]["failures"] = 2
    assert supervisor.Rank({**spec, "group": {"name": "x"}}).keep() == 78
    refused = "docker run failed: Unable to find image 'engine:1'"
    assert told[0] == ("down", f"failed: {refused}") and ("down", f"failed 2 times: {refused}") in told


def test_a_docker_that_fails_to_stop_does_not_end_the_supervisor(
    supervisor: types.ModuleType, docker: Docker, sleeps: Sleeps, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = supervisor.run

    def hangs_on_stop(*argv: str, **options: t.Any) -> t.Any:
        if argv[1] == "stop":
            assert options["timeout"] > spec["container"]["stop_seconds"]
            raise supervisor.RankFailedError("docker stop did not return")
        return run(*argv, **options)

    monkeypatch.setattr(supervisor, "run", hangs_on_stop)
    docker.refuses()
    assert supervisor.Rank(spec).keep() == 78


# --- sweeping ---------------------------------------------------------------------------------------------------------


def test_only_unused_files_are_swept(
    supervisor: types.ModuleType, docker: Docker, spec: Spec, tmp_path: pathlib.Path
) -> None:
    shm = tmp_path / "shm"
    (shm / "sem.folder").mkdir(parents=True)
    for name in ("sem.left", "sem.open", "sem.mapped", "other"):
        (shm / name).write_bytes(b"x")
    with (shm / "sem.mapped").open("rb") as stream:
        mapped = mmap.mmap(stream.fileno(), 1, prot=mmap.PROT_READ)
    with (shm / "sem.open").open("rb") as stream:
        other = subprocess.Popen(["sleep", "60"], stdin=stream)
    try:
        supervisor.Rank({**spec, "sweep": [f"{shm}/sem.*", f"{shm}/none*"]}).sweep()
    finally:
        other.kill()
        other.wait()
        mapped.close()
    assert sorted(os.listdir(shm)) == ["other", "sem.folder", "sem.mapped", "sem.open"]
    assert docker.calls == [f"rm --force {NAME}-before", f"rm --force {NAME}"]


def test_a_socket_that_somebody_listens_on_is_not_swept(
    supervisor: types.ModuleType, docker: Docker, spec: Spec, tmp_path: pathlib.Path
) -> None:
    """vLLM names its sockets after UUIDs, in a folder that all engines on Ray share."""
    live, dead = tmp_path / "live-socket-of-gpufleet", tmp_path / "dead-socket-of-gpufleet"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(live))
        with socket.socket(socket.AF_UNIX) as gone:
            gone.bind(str(dead))
        supervisor.Rank({**spec, "sweep": [f"{tmp_path}/*-socket-of-gpufleet"]}).sweep()
    assert (live.exists(), dead.exists()) == (True, False)


# --- systemd ----------------------------------------------------------------------------------------------------------


def test_an_abstract_socket_is_told_too(
    supervisor: types.ModuleType, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"gpufleet-test-{os.getpid()}"
    listener = Systemd(f"\0{name}")
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    supervisor.Rank(spec).say("loading")
    assert listener.all() == ["STATUS=loading"]
    listener.channel.close()


@pytest.mark.parametrize("address", [None, "/gpufleet/no/such/socket"])
def test_without_systemd_the_journal_is_told(
    supervisor: types.ModuleType,
    spec: Spec,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    address: str | None,
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    rank = supervisor.Rank(spec)
    for words in ("loading", "loading", "starting"):
        rank.say(words)
    rank.say("starting", ready=True)
    assert capsys.readouterr().out.splitlines() == ["loading", "starting", "starting"]


# --- as a process -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def supervise(spec_file: pathlib.Path) -> t.Iterator[subprocess.Popen[str]]:
    """Run the supervisor as systemd does; it does not outlive the test."""
    command = [sys.executable, str(SUPERVISOR), str(spec_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_that_is_asked_for_stops_the_container(
    docker: Docker, systemd: Systemd, spec_file: Write, asked: signal.Signals
) -> None:
    with supervise(spec_file()) as process:
        while "READY=1" not in systemd.next():
            assert process.poll() is None
        process.send_signal(asked)
        assert process.wait(30) == 0
    assert docker.calls[-1] == f"stop --time 1 {NAME}"
    assert systemd.all()[-1] == f"STATUS=stopping {NAME}"


def test_a_stop_while_waiting_ends_the_wait(docker: Docker, systemd: Systemd, spec_file: Write) -> None:
    with supervise(spec_file(waits=[closed_port()], wait_budget_seconds=600)) as process:
        assert systemd.next().startswith("STATUS=waiting: ")
        process.terminate()
        assert process.wait(30) == 0
    assert RUN not in docker.calls


def test_giving_up_is_an_exit_status_that_is_not_restarted(docker: Docker, systemd: Systemd, spec_file: Write) -> None:
    docker.refuses()
    with supervise(spec_file(give_up={"failures": 2, "window_seconds": 60, "delays_seconds": [0]})) as process:
        assert process.wait(30) == 78
        assert process.stdout and "given up after 2 failures" in process.stdout.read()
    assert systemd.all()[-1].startswith("STATUS=given up after 2 failures, the last one: docker run failed: ")


@pytest.mark.parametrize(
    "unit", ["engine/templates/gpufleet-engine.service.j2", "ray_cluster/templates/gpufleet-ray.service.j2"]
)
def test_the_units_do_not_restart_a_rank_that_was_given_up(unit: str) -> None:
    lines = (SUPERVISOR.parents[2] / unit).read_text().splitlines()
    assert {"Type=exec", "RestartPreventExitStatus=78", "KillMode=mixed"} <= set(lines)
