# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _load_point as load_point
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome

SAMPLES = pathlib.Path(__file__).with_name("load_samples")
GOOD = Outcome(0, "", "", "")


class Host(load_point.Host):
    """A host on which the tool does what a test says."""

    def __init__(self, *outcomes: Outcome, text: str | None = None) -> None:
        self.outcomes = list(outcomes)
        self.text = text
        self.ran: list[list[str]] = []
        self.forgotten: list[str] = []

    def run(self, argv: t.Sequence[str], timeout_seconds: float) -> Outcome:
        self.ran.append(list(argv))
        return self.outcomes.pop(0)

    def forget(self, path: str) -> None:
        self.forgotten.append(path)

    def read(self, path: str) -> str:
        if self.text is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        return self.text


def measure(host: Host, container: str = "load") -> dict[str, t.Any]:
    return load_point.measure(host, ["docker", "run"], 5, container, "/r/point.json")


def test_a_point_is_measured_and_its_file_removed_before_and_after() -> None:
    host = Host(GOOD, text=(SAMPLES / "closed_4.json").read_text(encoding="utf-8"))
    found = measure(host)
    assert (found["completed"], found["problem"]) == (16, "")
    assert host.forgotten == ["/r/point.json", "/r/point.json"]


@pytest.mark.parametrize(
    ("outcome", "text", "problem"),
    [
        (
            Outcome(1, "", "Traceback\nValueError: bad tokenizer\n", "docker returned 1"),
            None,
            "returned 1: ValueError: bad tokenizer",
        ),
        (Outcome(2, "", "", "docker returned 2"), None, "returned 2: it said nothing"),
        (Outcome(None, "", "", "docker is not installed"), None, "docker is not installed"),
        (GOOD, None, "wrote no result: No such file or directory"),
        (GOOD, "{", "cannot be read, JSONDecodeError"),
        (GOOD, '{"completed": 1}', "cannot be read, KeyError"),
        (GOOD, "[]", "cannot be read, TypeError"),
    ],
)
def test_whatever_goes_wrong_is_the_problem_of_the_point(outcome: Outcome, text: str | None, problem: str) -> None:
    found = measure(Host(outcome, text=text), container="")
    assert problem in found["problem"]
    assert found["completed"] == 0 and found["output_tokens_per_second"] is None


def test_a_container_whose_time_is_over_is_removed() -> None:
    host = Host(Outcome(None, "", "", "docker did not answer within 5 s"), GOOD)
    assert measure(host)["problem"] == "docker did not answer within 5 s"
    assert host.ran[1] == ["docker", "rm", "--force", "load"]


def test_a_container_that_stays_is_told() -> None:
    late = Outcome(None, "", "", "docker did not answer within 5 s")
    assert "its container is still there: docker did not answer" in measure(Host(late, late))["problem"]


def test_an_old_result_that_stays_is_no_new_one(tmp_path: pathlib.Path) -> None:
    (tmp_path / "point.json").mkdir()
    found = load_point.measure(load_point.Host(), ["true"], 5, "", str(tmp_path / "point.json"))
    assert "of an earlier point cannot be removed" in found["problem"]


def test_a_real_command_writes_and_is_read(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "point.json"
    argv = ["cp", str(SAMPLES / "open_5.json"), str(path)]
    assert load_point.measure(load_point.Host(), argv, 20, "", str(path))["completed"] == 12
    assert not path.exists()
