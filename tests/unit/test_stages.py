# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage runner counts what failed, goes on, and never reports success after a failure."""

from __future__ import annotations

import pathlib
import threading

import pytest

from tests import stages


@pytest.mark.parametrize(
    ("line", "rc", "counted"),
    [
        ("", 0, (1, 0)),
        ("", 2, (0, 1)),
        ("===== 31 passed in 1.21s =====", 0, (31, 0)),
        ("===== 2 failed, 31 passed, 4 skipped in 1.21s =====", 1, (31, 2)),
        ("===== 1 error in 0.10s =====", 2, (0, 1)),
        ("===== 1 failed, 5 passed, 2 errors in 0.10s =====", 1, (5, 3)),
        # All tests passed, and yet pytest, or what ran after it, did not.
        ("===== 31 passed in 1.21s =====", 1, (31, 1)),
    ],
)
def test_count(line: str, rc: int, counted: tuple[int, int]) -> None:
    assert stages.count(line, rc) == counted


@pytest.fixture
def repository(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A repository whose make targets say what they do and end as their name says."""
    monkeypatch.setattr(stages, "ROOT", tmp_path)
    monkeypatch.setattr(stages, "docker_answers", lambda: False)
    (tmp_path / "Makefile").write_text(
        "good lab-docker lab-images lab-docker-stop molecule-create molecule-destroy:\n\t@echo ran $@$(LAB_LANE:%=@%)\n"
        "setup:\n\t@test -z '$(BROKEN)'\n"
        "bad:\n\t@false\n"
        "tests:\n\t@echo '== 3 passed in 1s =='\n"
        "molecule-scenario:\n\t@echo scenario $(ROLE)$(LAB_LANE:%=@%); test $(ROLE) != gateway\n"
    )
    for name in ("gateway", "default", "os_tuning", *stages.SERVING, *stages.SLOW):
        (tmp_path / "molecule" / name).mkdir(parents=True)
        (tmp_path / "molecule" / name / "molecule.yml").write_text("---\n")
    return tmp_path


def test_goes_on_after_a_failure_and_fails(repository: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stages.main(["setup", "bad", "tests"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "4 passed, 1 failed"


def test_all_good(repository: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stages.main(["setup", "good", "tests"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "5 passed, 0 failed"


def test_stops_without_a_foundation(
    repository: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKEN", "yes")
    assert stages.main(["setup", "good", "molecule"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"


def test_molecule_runs_every_scenario_and_cleans_up(
    repository: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stages.main(["molecule"]) == 1
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("ran ", "scenario "))]
    ending = ["ran molecule-destroy@b", "ran molecule-destroy", "ran lab-docker-stop"]
    assert said[-len(ending) :] == ending
    assert [line for line in said[: -len(ending)] if line.startswith("scenario") and "@" not in line] == [
        "scenario gateway",
        "scenario os_tuning",
    ]
    assert [line for line in said[: -len(ending)] if line.startswith("ran") or "@" in line] == [
        *("ran lab-docker", "ran molecule-create", "ran molecule-create@b", "ran lab-images"),
        *("scenario ray_cluster@b", "scenario engine@b", "scenario site@b"),
    ]


def test_a_foreign_docker_engine_is_not_stopped(
    repository: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "docker_answers", lambda: True)
    stages.main(["molecule"])
    assert "ran lab-docker-stop" not in capsys.readouterr().out


def test_no_scenario_is_no_success(repository: pathlib.Path) -> None:
    for path in repository.glob("molecule/*/molecule.yml"):
        path.unlink()
    with pytest.raises(SystemExit, match="nothing would be tested"):
        stages.main(["molecule"])


def test_slow_scenarios_wait_for_their_own_target(repository: pathlib.Path) -> None:
    assert stages.scenarios() == ["gateway", "os_tuning"]


def test_what_serves_a_model_is_there() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    assert all((root / "molecule" / name / "molecule.yml").is_file() for name in stages.SERVING)


def test_slow_scenarios_are_there_and_have_a_target() -> None:
    root = pathlib.Path(__file__).resolve().parents[2]
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    target = makefile.partition("molecule-slow:")[2].partition("\n\n")[0]
    for name in stages.SLOW:
        assert (root / "molecule" / name / "molecule.yml").is_file()
        assert name in target


def test_both_lanes_run_at_once(repository: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    makefile = repository / "Makefile"
    # Each waits for the other: one after another, neither would end.
    meet = (
        "\t@echo ran $@; touch $@.here; for i in $$(seq 200); do test -e {}.here && exit 0; sleep 0.05; done; exit 1\n"
    )
    makefile.write_text(
        makefile.read_text().replace("lab-images ", "", 1)
        + f"check-a:\n{meet.format('lab-images')}"
        + f"lab-images:\n{meet.format('check-a')}"
    )
    stages.main(["setup", "check-a", "molecule"])
    table = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert ["check-a", "ok"] in table
    assert ["lab-images", "ok"] in table


def test_what_lane_b_says_stays_together(repository: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    stages.main(["tests", "molecule"])
    said = capsys.readouterr().out
    assert "\n=== molecule:engine@b\nscenario engine@b\n=== (end of molecule:engine@b)\n" in said


def test_alone_lane_b_says_it_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    alone = threading.Event()
    piece = stages.Piece(alone)
    print("first", file=piece, flush=True)
    assert capsys.readouterr().out == ""
    alone.set()
    print("second", file=piece, flush=True)
    assert capsys.readouterr().out == "first\nsecond\n"
    piece.show()
    assert capsys.readouterr().out == ""


def test_without_docker_the_checks_still_run(repository: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    makefile = repository / "Makefile"
    makefile.write_text(makefile.read_text().replace("good lab-docker ", "good ", 1) + "lab-docker:\n\t@false\n")
    assert stages.main(["setup", "good", "molecule"]) == 1
    said = capsys.readouterr().out
    assert "ran good" in said
    assert "ran molecule-create" not in said
    assert "scenario" not in said
    assert "ran molecule-destroy" in said
