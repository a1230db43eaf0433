# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _candidates, _package_directory
from ansible_collections.gpufleet.inference.tests.unit.plugins.module_utils.test__openpgp import (
    ED25519,
    ED25519_FINGERPRINT,
    RSA,
    RSA_FINGERPRINT,
)

Run = t.Callable[..., dict[str, t.Any]]
FOUND = {"nvidia-smi": [{"version": "580.126.20-1", "repository": "https://x", "transitional": False}]}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[t.Any]:
    """Let stand-ins answer for apt and dnf, and return what they were asked."""
    seen: list[t.Any] = []

    def apt(patterns: list[str], sources: dict[str, str], bound: float) -> t.Any:
        key = sources["gpufleet.list"].split("signed-by=")[1].split("]")[0] if sources else ""
        seen.append((patterns, sources, bound, pathlib.Path(key).read_text(encoding="ascii") if key else ""))
        return FOUND

    def dnf(patterns: list[str], repositories: dict[str, str], bound: float) -> t.Any:
        seen.append((patterns, repositories, bound))
        return FOUND

    monkeypatch.setattr(_candidates, "ask_apt", apt)
    monkeypatch.setattr(_candidates, "ask_dnf", dnf)
    return seen


def test_apt_is_asked_with_the_checked_key(run_module: Run, asked: list[t.Any]) -> None:
    result = run_module(
        "package_candidates",
        check=True,
        package_manager="apt",
        patterns=["nvidia-*"],
        repository="https://x",
        key_text=RSA,
        key_fingerprint=RSA_FINGERPRINT,
    )
    assert (result["changed"], result["candidates"], result["key"]) == (False, FOUND, RSA)
    ((patterns, sources, bound, key),) = asked
    assert patterns == ["nvidia-*"] and bound == 180
    assert sources["gpufleet.list"].endswith("] https://x /\n") and key == RSA


def test_dnf_is_asked(run_module: Run, asked: list[t.Any]) -> None:
    result = run_module("package_candidates", package_manager="dnf", patterns=["x"], repository="https://x")
    assert result["candidates"] == FOUND
    assert asked == [(["x"], {"gpufleet-nvidia": "https://x"}, 180)]


def test_without_a_repository_the_nodes_own_are_asked(run_module: Run, asked: list[t.Any]) -> None:
    assert not run_module("package_candidates", package_manager="apt", patterns=["x"])["failed"]
    assert asked[0][1] == {}


def test_a_key_is_fetched(run_module: Run, asked: list[t.Any], tmp_path: pathlib.Path) -> None:
    (tmp_path / "key.pub").write_text(ED25519, encoding="ascii")
    wanted = {"package_manager": "apt", "patterns": ["x"], "repository": "https://x"}
    there = {"key_address": f"file://{tmp_path}/key.pub", "key_fingerprint": ED25519_FINGERPRINT}
    assert run_module("package_candidates", **wanted, **there)["key"] == ED25519
    gone = {**there, "key_address": f"file://{tmp_path}/none"}
    assert "could not be fetched" in run_module("package_candidates", **wanted, **gone)["msg"]


@pytest.mark.parametrize(
    ("text", "said"),
    [(RSA, f"has the fingerprint {RSA_FINGERPRINT}, expected is {ED25519_FINGERPRINT}"), ("nothing", "is not usable")],
)
def test_another_key_is_refused_before_anybody_is_asked(
    run_module: Run, asked: list[t.Any], text: str, said: str
) -> None:
    result = run_module(
        "package_candidates",
        package_manager="apt",
        patterns=["x"],
        repository="https://x",
        key_text=text,
        key_fingerprint=ED25519_FINGERPRINT,
    )
    assert result["failed"] and said in result["msg"] and asked == []


def test_a_directory_is_looked_at(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_package_directory, "read", lambda directory: (FOUND, f"index of {directory}"))
    result = run_module("package_candidates", package_manager="apt", patterns=["x"], directory="/srv/x")
    assert (result["candidates"], result["index"]) == (FOUND, "index of /srv/x")


def test_what_cannot_be_asked_is_told(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: t.Any) -> t.NoReturn:
        raise _candidates.Unavailable("it is down")

    monkeypatch.setattr(_candidates, "ask_apt", broken)
    result = run_module("package_candidates", package_manager="apt", patterns=["x"])
    assert result["failed"] and result["msg"] == "it is down"
