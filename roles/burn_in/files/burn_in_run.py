# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run on one node: what was found so far, how much time is left, and how cards are asked."""

from __future__ import annotations

import time
import typing as t

import burn_in_tiers as tiers
import burn_in_values as values
from burn_in_values import Measurement, missing
from burn_in_workers import Reply, Worker, ask

#: Seconds that one figure may take: a card that needs longer hangs.
BOUND = 60.0

#: Seconds that are measured in any case, however long it took to start from a cold disk.
LEAST_SECONDS = 40.0


class Run:
    """One run on one node. ``measurements`` grows; ``say`` tells people what happens."""

    def __init__(
        self, tier: tiers.Tier, workers: t.Sequence[Worker], began: float, say: t.Callable[[str], None]
    ) -> None:
        self.tier, self.workers, self.say = tier, list(workers), say
        self._end = max(began + tier.budget_seconds, time.monotonic() + LEAST_SECONDS)
        self.measurements: list[Measurement] = []

    def left(self) -> float:
        """Return the seconds of the budget that are left."""
        return self._end - time.monotonic()

    def add(self, found: t.Iterable[Measurement], what: str, began: float) -> None:
        """Add measurements and tell them in one line."""
        new = [{**one, "seconds": values.rounded(time.monotonic() - began)} for one in found]
        self.measurements += new
        if not new:
            return
        several = len({one["kind"] for one in new}) > 1
        shown = [one for one in new if one["kind"] != "wrong_result"]
        told = ", ".join(f"{one['subject']}{' ' + one['kind'] if several else ''} {_told(one)}" for one in shown)
        wrong = [one for one in new if one["kind"] == "wrong_result" and one["value"] != 0]
        if wrong:
            told += f"; WRONG RESULTS: {', '.join(one['subject'] for one in wrong)}"
        self.say(f"{what}: {told or 'results as they should be'}")

    def spent(self, what: str, kinds: t.Iterable[tuple[str, str]], reserve: float = 0.0, **parameters: t.Any) -> bool:
        """Tell whether the budget has no time for this; then what is missing is added with that problem."""
        if self.left() > reserve:
            return False
        problem = "left out: the time of this tier was spent"
        self.add([missing(kind, subject, problem, **parameters) for kind, subject in kinds], what, time.monotonic())
        return True


def _told(one: Measurement) -> str:
    return one["problem"] if one["value"] is None else f"{one['value']:g} {one['unit']}".strip()


def gathered(replies: t.Mapping[Worker, Reply], kinds: t.Sequence[str], **parameters: t.Any) -> list[Measurement]:
    """Return the measurements of the answers; for a card without, one of each kind that says why."""
    found: list[Measurement] = []
    for worker, reply in sorted(replies.items(), key=lambda item: item[0].index):
        if "measurements" in reply:
            found += reply["measurements"]
        else:
            fault = bool(reply.get("fault"))
            found += [missing(kind, f"gpu {worker.index}", reply["problem"], fault, **parameters) for kind in kinds]
    return found


def request(do: str, **arguments: t.Any) -> dict[str, t.Any]:
    return {"do": do, "with": arguments}


def together(run: Run, what: str, kinds: t.Sequence[str], wanted: t.Mapping[str, t.Any], **known: t.Any) -> None:
    if run.spent(what, [(kind, f"gpu {worker.index}") for worker in run.workers for kind in kinds], **known):
        return
    began = time.monotonic()
    replies = ask(dict.fromkeys(run.workers, wanted), min(BOUND, max(run.left(), 5)))
    run.add(gathered(replies, kinds, **known), what, began)
