# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What NVML says about the cards, before the load and under it: by pynvml where the Python has it, else by nvidia-smi.

Only reads. A look is a list of {index, name, driver, used_mib, temperature, margin, reasons, watts, sm_mhz}; None:
not told. ``margin``: °C until the card slows down.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
import typing as t

Look = list[dict[str, t.Any]]

#: nvml.h, nvmlClocksEventReason*: why clocks are lower than they could be.
REASONS = {
    0x1: "idle",
    0x2: "application_clocks",
    0x4: "sw_power_cap",
    0x8: "hw_slowdown",
    0x10: "sync_boost",
    0x20: "sw_thermal",
    0x40: "hw_thermal",
    0x80: "hw_power_brake",
    0x100: "display_clocks",
}

_QUERY = (
    "index,name,driver_version,memory.used,temperature.gpu,clocks_throttle_reasons.active,power.draw,clocks.current.sm"
)


class NoCardsError(Exception):
    """Nobody tells about cards; the text says why."""


def by_pynvml() -> t.Callable[[], Look]:
    """Return a function that looks through pynvml. Raises NoCardsError."""
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(one) for one in range(pynvml.nvmlDeviceGetCount())]
    except ImportError as why:
        raise NoCardsError("this Python has no pynvml (package nvidia-ml-py)") from why
    # pynvml raises classes that it makes at run time.
    except Exception as why:
        raise NoCardsError(f"NVML: {why}") from why

    def read(name: str, *arguments: t.Any) -> t.Any:
        with contextlib.suppress(Exception):
            value = getattr(pynvml, name)(*arguments)
            return value.decode() if isinstance(value, bytes) else value
        return None

    def look() -> Look:
        found = []
        for index, handle in enumerate(handles):
            memory = read("nvmlDeviceGetMemoryInfo", handle)
            milliwatts = read("nvmlDeviceGetPowerUsage", handle)
            reasons = read("nvmlDeviceGetCurrentClocksEventReasons", handle)
            if reasons is None:
                reasons = read("nvmlDeviceGetCurrentClocksThrottleReasons", handle)
            temperature = read("nvmlDeviceGetTemperature", handle, 0)
            margin = read("nvmlDeviceGetMarginTemperature", handle)
            # Before Hopper: 1 is the temperature of the slowdown.
            slowdown = read("nvmlDeviceGetTemperatureThreshold", handle, 1) if margin is None else None
            if slowdown is not None and temperature is not None:
                margin = slowdown - temperature
            found.append(
                {
                    "index": index,
                    "name": read("nvmlDeviceGetName", handle),
                    "driver": read("nvmlSystemGetDriverVersion"),
                    "used_mib": None if memory is None else memory.used >> 20,
                    "temperature": temperature,
                    "margin": margin,
                    "reasons": reasons,
                    "watts": None if milliwatts is None else milliwatts / 1e3,
                    "sm_mhz": read("nvmlDeviceGetClockInfo", handle, 1),
                }
            )
        return found

    return look


def by_nvidia_smi(run: t.Callable[..., t.Any] = subprocess.run) -> t.Callable[[], Look]:
    """Return a function that looks through nvidia-smi. Raises NoCardsError."""
    argv = ["nvidia-smi", f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]

    def look() -> Look:
        try:
            done = run(argv, capture_output=True, text=True, timeout=15, check=False)
        except (OSError, subprocess.SubprocessError) as why:
            raise NoCardsError(f"nvidia-smi: {why}") from why
        if done.returncode != 0:
            raise NoCardsError(f"nvidia-smi returned {done.returncode}: {(done.stderr or done.stdout).strip()[-200:]}")
        return [_row(line) for line in done.stdout.splitlines() if line.strip()]

    look()
    return look


def _row(line: str) -> dict[str, t.Any]:
    words = [one.strip() for one in line.split(",")]
    index, name, driver, used, temperature, reasons, watts, clock = words
    mask = None
    with contextlib.suppress(ValueError):
        mask = int(reasons, 16)
    return {
        "index": int(index),
        "name": name,
        "driver": driver,
        "used_mib": _number(used),
        "temperature": _number(temperature),
        "margin": None,
        "reasons": mask,
        "watts": _number(watts),
        "sm_mhz": _number(clock),
    }


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def looker() -> tuple[t.Callable[[], Look], str]:
    """Return how to look at the cards, and the tool's name. Raises NoCardsError with what every way said."""
    said = []
    for tool, way in (("pynvml", by_pynvml), ("nvidia-smi", by_nvidia_smi)):
        try:
            return way(), tool
        except NoCardsError as why:
            said.append(str(why))
    raise NoCardsError("; ".join(said))


class Watch:
    """Looks at the cards every ``pause`` seconds in the background, from ``start`` on until ``looks`` is asked for."""

    def __init__(self, look: t.Callable[[], Look], pause: float = 0.5) -> None:
        self._look, self._pause = look, pause
        self.seen: list[tuple[float, Look]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._began = time.monotonic()
        self._thread.start()

    def _run(self) -> None:
        while not self._end.is_set():
            with contextlib.suppress(NoCardsError):
                self.seen.append((time.monotonic() - self._began, self._look()))
            self._end.wait(self._pause)

    def looks(self) -> list[tuple[float, Look]]:
        """End watching and return [(seconds since start, look)]; a driver that hangs is not waited for."""
        self._end.set()
        self._thread.join(timeout=5)
        return list(self.seen)


def known_of(cards: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """Return what the fleet is told of a node's cards: gpu, gpus and driver, or that there are none."""
    if not cards:
        return {"gpus": 0}
    return {"gpu": cards[0]["name"], "gpus": len(cards), "driver": cards[0]["driver"]}
