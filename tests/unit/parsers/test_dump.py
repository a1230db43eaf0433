# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The script that runs beside an engine: what it prints of a parser, and what it says of words."""

from __future__ import annotations

import argparse
import json

import pytest

from tests.parsers import dump


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser()
    made.add_argument("--seed", "-s", type=int)
    made.add_argument("--dtype", choices=["auto", "half"])
    made.add_argument("--eager", action=argparse.BooleanOptionalAction)
    return made


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dump.PARSERS, "vllm", parser)
    monkeypatch.setitem(dump.REGISTRIES, "vllm", lambda: {"--dtype": ["auto"]})
    monkeypatch.setattr(dump, "release", lambda name: "1.0.0")


def test_a_dump() -> None:
    made = json.loads(dump.text(dump.dump("vllm")))
    assert made["options"] == [
        {"flags": ["--dtype"], "nargs": None, "type": None, "choices": ["auto", "half"]},
        {"flags": ["--eager", "--no-eager"], "nargs": 0, "type": None, "choices": None},
        {"flags": ["--seed", "-s"], "nargs": None, "type": "int", "choices": None},
    ]
    assert (made["engine"], made["release"], made["registries"]) == ("vllm", "1.0.0", {"--dtype": ["auto"]})


def test_refusals() -> None:
    commands = [["--seed", "1"], ["--seed", "x"], ["--other"], ["--dtype", "bf16"], ["--help"], ["--eag"]]
    told = dump.refusals("vllm", commands)
    assert [bool(one) for one in told] == [False, True, True, True, True, False]
    assert "--seed" in told[1] and "--other" in told[2] and "--dtype" in told[3] and "exits with 0" in told[4]
