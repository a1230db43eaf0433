# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rank is ready only when its unit says so and its container runs; else the cause is named with a remedy."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._rank import RAY_SIGNATURES, cause, judge
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, PASS

UNIT = "gpufleet-ray.service"
READY = {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled", "StatusText": "ready after 9 s"}


def shown(**changed: str) -> dict[str, str]:
    return {**READY, **changed}


CASES: list[tuple[str, dict[str, str] | None, dict[str, t.Any] | None, list[str], str]] = [
    ("ready", READY, {"Running": True}, [PASS, PASS], "active: ready after 9 s"),
    ("no container", READY, None, [FAIL, PASS], "active: ready after 9 s; but its container does not run"),
    ("ended", READY, {"Running": False}, [FAIL, PASS], "active: ready after 9 s; but its container does not run"),
    ("loading", shown(StatusText="loading: x"), {"Running": True}, [FAIL, PASS], "active: loading: x"),
    ("inactive", shown(ActiveState="failed"), {"Running": True}, [FAIL, PASS], "failed: ready after 9 s"),
    ("silent", shown(StatusText=""), None, [FAIL, PASS], "active: no status"),
    ("not enabled", shown(UnitFileState="disabled"), {"Running": True}, [PASS, FAIL], "active: ready after 9 s"),
    ("no unit", shown(LoadState="not-found"), None, [FAIL], "there is no such unit"),
    ("no systemd", None, {"Running": True}, [NOT_VERIFIED], "systemd did not answer"),
]


@pytest.mark.parametrize(
    ("unit", "container", "verdicts", "observed"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_the_verdict_of_a_rank(
    unit: dict[str, str] | None, container: dict[str, t.Any] | None, verdicts: list[str], observed: str
) -> None:
    checks = judge(UNIT, unit, container, "")
    assert [one["verdict"] for one in checks] == verdicts
    assert checks[0]["observed"] == observed
    assert all(one["name"].startswith(f"rank {UNIT}") for one in checks)
    assert all(one["remedy"] for one in checks if one["verdict"] == FAIL)


@pytest.mark.parametrize(("status", "verdict"), [("ready after 9 s", NOT_VERIFIED), ("loading: x", FAIL)])
def test_a_container_that_could_not_be_looked_at_is_no_dead_one(status: str, verdict: str) -> None:
    first = judge(UNIT, shown(StatusText=status), None, "", "the Docker daemon is not running")[0]
    assert first["verdict"] == verdict
    assert ("could not be looked at: the Docker daemon is not running" in first["observed"]) is (verdict != FAIL)


def test_without_a_known_cause_the_last_words_are_the_remedy() -> None:
    [first, _second] = judge(UNIT, shown(StatusText=""), None, "one\n two \n\n three\n\n")
    assert first["remedy"] == f"see journalctl -u {UNIT}. Last words: two | three"
    assert judge(UNIT, shown(StatusText=""), None, "")[0]["remedy"].endswith("Last words: none")


def test_the_cause_is_looked_for_in_status_and_log() -> None:
    taken = "bind: address already in use"
    for status, log in ((f"failed: {taken}", ""), ("", f"…\n{taken}\n…")):
        assert "taken" in judge(UNIT, shown(StatusText=status), None, log)[0]["remedy"]


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("OSError: [Errno 98] Address already in use", "a port that the engine needs is taken: free the port"),
        # A cause is named before what Ray says of the connection.
        ("Failed to connect to GCS at address 1:2\nGPU is lost", "a GPU has fallen off the bus: power-cycle"),
        # The supervisor's own words.
        ("waiting: 10.0.0.1:6379 does not accept: timed out", "10.0.0.1:6379 does not accept: the head's address"),
        # Nothing but a symptom, and nothing but a note.
        ("RayWorkerProc rank=[1] died unexpectedly", "a worker ended, and the group with it: look for"),
        ("Fail to set RLIMIT_NOFILE", f"see journalctl -u {UNIT}"),
    ],
)
def test_known_lines_of_engines_have_a_remedy(log: str, expected: str) -> None:
    assert judge(UNIT, shown(StatusText="loading: x"), None, log)[0]["remedy"].startswith(expected)


def test_the_first_signature_wins_and_none_is_empty() -> None:
    assert cause("connection refused\nFailed to connect to GCS at address 1:2\nInvalidAuthToken").startswith(
        "InvalidAuthToken: the token"
    )
    assert cause("all is well") == "" == cause("")


#: What Ray 2.60 and the supervisor say.
SAID = [
    ("ray.exceptions.AuthenticationError: InvalidAuthToken", "the token differs"),
    ("Authentication token is missing or incorrect", "the token differs"),
    ("RuntimeError: Version mismatch: The cluster was started with: Ray: 2.59.0", "give ray_cluster_image one image"),
    ("Ray is trying to start at 10.0.0.1:6379, but is already running at 10.0.0.1:6379", "another Ray runs"),
    ("bind: Address already in use", "change it"),
    ("OSError: [Errno 98] address already in use", "change it"),
    ("waiting: 10.0.0.1:6379 does not accept: [Errno 111] Connection refused", "the head is not up"),
    ("waiting: 10.0.0.1:6379 does not accept: timed out", "not reachable from here"),
    ("waiting: 10.0.0.1:6379 does not accept: [Errno 113] No route to host", "not reachable from here"),
    ("Failed to connect to GCS at address 10.0.0.1:6379 within 5 seconds", "the head does not answer there"),
    ("docker: Unable to find image 'engine:1' locally", "run serve.yml"),
    ("Error response from daemon: No such image: engine:1", "run serve.yml"),
]


@pytest.mark.parametrize(("said", "expected"), SAID)
def test_what_ray_says_has_a_remedy(said: str, expected: str) -> None:
    assert expected in cause(said)


def test_every_signature_of_ray_has_its_case() -> None:
    found = {pattern for pattern in RAY_SIGNATURES for said, _expected in SAID if re.search(pattern, said)}
    assert found == set(RAY_SIGNATURES)


def test_a_wrong_token_is_named_before_the_connection_errors_after_it() -> None:
    log = "Failed to connect to GCS at address 10.0.0.1:6379\nInvalidAuthToken\n"
    assert cause(log).startswith("InvalidAuthToken: the token differs")
