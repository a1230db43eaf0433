# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What NVML says of the cards: by nvidia-smi, by pynvml, by nobody."""

from __future__ import annotations

import subprocess
import sys
import types
import typing as t

import burn_in_cards as cards
import burn_in_heat as heat
import pytest

#: As nvidia-smi of driver 580 prints the query, on two H200.
LINES = """\
0, NVIDIA H200, 580.159.04, 0, 33, 0x0000000000000001, 76.44, 345
1, NVIDIA H200, 580.159.04, 131072, 66, 0x0000000000000024, [N/A], [Unknown Error]
"""


def smi(text: str = LINES, code: int = 0, error: str = "") -> t.Callable[..., t.Any]:
    return lambda argv, **options: subprocess.CompletedProcess(argv, code, text, error)


def test_rows_of_nvidia_smi() -> None:
    first, second = cards.by_nvidia_smi(smi())()
    assert first == {
        "index": 0,
        "name": "NVIDIA H200",
        "driver": "580.159.04",
        "used_mib": 0.0,
        "temperature": 33.0,
        "margin": None,
        "reasons": 1,
        "watts": 76.44,
        "sm_mhz": 345.0,
    }
    assert (second["used_mib"], second["reasons"], second["watts"], second["sm_mhz"]) == (131072.0, 0x24, None, None)


def test_nvidia_smi_that_fails_says_why() -> None:
    with pytest.raises(cards.NoCardsError, match="returned 9: couldn't communicate with the NVIDIA driver"):
        cards.by_nvidia_smi(smi("", 9, "couldn't communicate with the NVIDIA driver"))


def test_nvidia_smi_that_hangs_or_is_missing() -> None:
    def hang(argv: list[str], **options: t.Any) -> t.Any:
        raise subprocess.TimeoutExpired(argv, options["timeout"])

    with pytest.raises(cards.NoCardsError, match="timed out after 15 seconds"):
        cards.by_nvidia_smi(hang)

    def absent(argv: list[str], **options: t.Any) -> t.Any:
        raise FileNotFoundError("nvidia-smi")

    with pytest.raises(cards.NoCardsError, match="nvidia-smi"):
        cards.by_nvidia_smi(absent)


class Nvml(types.ModuleType):
    """A stand-in for pynvml with one card; ``lacking`` are functions that the driver does not support."""

    def __init__(self, *lacking: str) -> None:
        super().__init__("pynvml")
        answers: dict[str, t.Any] = {
            "nvmlInit": None,
            "nvmlDeviceGetCount": 1,
            "nvmlDeviceGetHandleByIndex": "card",
            "nvmlDeviceGetMemoryInfo": types.SimpleNamespace(used=700 << 20),
            "nvmlDeviceGetName": b"NVIDIA H20",
            "nvmlSystemGetDriverVersion": "550.54.15",
            "nvmlDeviceGetTemperature": 60,
            "nvmlDeviceGetMarginTemperature": 25,
            "nvmlDeviceGetTemperatureThreshold": 89,
            "nvmlDeviceGetCurrentClocksEventReasons": 4,
            "nvmlDeviceGetCurrentClocksThrottleReasons": 8,
            "nvmlDeviceGetPowerUsage": 400_000,
            "nvmlDeviceGetClockInfo": 1980,
        }
        for name, answer in answers.items():
            setattr(self, name, self.refuse if name in lacking else lambda *_arguments, answer=answer: answer)

    @staticmethod
    def refuse(*_arguments: t.Any) -> t.Any:
        raise RuntimeError("Not Supported")


def test_a_card_by_pynvml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Nvml())
    (one,) = cards.by_pynvml()()
    assert (one["name"], one["used_mib"], one["watts"], one["margin"], one["reasons"]) == (
        "NVIDIA H20",
        700,
        400.0,
        25,
        4,
    )


def test_an_older_driver_tells_the_threshold_and_the_older_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    old = Nvml("nvmlDeviceGetMarginTemperature", "nvmlDeviceGetCurrentClocksEventReasons")
    monkeypatch.setitem(sys.modules, "pynvml", old)
    (one,) = cards.by_pynvml()()
    assert (one["margin"], one["reasons"]) == (29, 8)


def test_nobody_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Nvml("nvmlInit"))
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(cards.NoCardsError, match=r"NVML: Not Supported; nvidia-smi:"):
        cards.looker()
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(cards.NoCardsError, match="no pynvml"):
        cards.looker()


def test_the_watch_keeps_what_it_saw_although_looks_fail_in_between() -> None:
    seen = iter(range(100))

    def look() -> cards.Look:
        if next(seen) % 2:
            raise cards.NoCardsError("busy")
        return [{"index": 0}]

    watch = cards.Watch(look, 0.001)
    watch.start()
    while not watch.seen:
        pass
    assert watch.looks()[0][1] == [{"index": 0}]


def look(temperature: float | None, reasons: int | None, index: int = 0, **other: t.Any) -> dict[str, t.Any]:
    return {
        "index": index,
        "temperature": temperature,
        "reasons": reasons,
        "margin": None,
        "watts": None,
        "sm_mhz": None,
        **other,
    }


def test_temperatures_and_reasons_under_load() -> None:
    looks = [
        (0.0, [look(40, 4, margin=40, watts=700.0), look(45, 0, 1)]),
        (0.5, [look(60, 4 | 0x40, margin=20, watts=690.0), look(52, 0, 1)]),
    ]
    found = {(one["kind"], one["subject"]): one for one in heat.under_load(looks, "pynvml")}
    first = found["temperature", "gpu 0"]
    assert (first["value"], first["series"], first["parameters"]["margin"]) == (60, [[0.0, 40], [0.5, 60]], 20)
    assert found["temperature", "2 GPUs"]["value"] == 8
    throttled = found["clock_throttle", "gpu 0"]
    assert throttled["value"] == 0.5
    assert throttled["parameters"] == {"reasons": {"sw_power_cap": 1.0, "hw_thermal": 0.5}, "watts": 695.0}
    assert found["clock_throttle", "gpu 1"]["value"] == 0


def test_what_the_driver_does_not_tell_is_no_measurement() -> None:
    found = heat.under_load([(0.0, [look(None, None)])], "nvidia-smi")
    assert [(one["kind"], one["value"], one["tool"]) for one in found] == [
        ("temperature", None, "nvidia-smi"),
        ("clock_throttle", None, "nvidia-smi"),
    ]
    assert all("tells no" in one["problem"] for one in found)
