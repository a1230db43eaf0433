# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run all fault scenarios and print the table fault → verdict → remedy: ``python -m tests.gpu.table``."""

from __future__ import annotations

import sys
import time

from tests.conftest import pytest_configure


def main() -> int:
    # The collection can be imported only from then on.
    pytest_configure()
    from tests.gpu import scenario

    sick, well = scenario.load(), scenario.healthy()
    began = time.monotonic()
    results = scenario.run([*well, *sick])
    seconds = time.monotonic() - began
    detected = 0
    for one in sick:
        result = results[one.name]
        wrong = scenario.faults(one, result)
        detected += not wrong
        print(
            f"\n{'ok ' if not wrong else 'BAD'} {one.name} [{one.profile}]{f' (peers: {one.peer})' if one.peer else ''}"
        )
        for check in result.get("checks", []):
            if check["name"] in one.verdicts and check["verdict"] != "pass":
                print(f"      {check['verdict']:<12} {check['name']}: {check['observed']}")
                print(f"      {'':<12} → {check['remedy']}")
        for line in wrong:
            print(f"      WRONG        {line}")
    alarms = {one.name: scenario.faults(one, results[one.name]) for one in well}
    for name, lines in alarms.items():
        print(f"\n{name}: {len(lines)} false alarms", *lines, sep="\n      ")
    false = sum(len(lines) for lines in alarms.values())
    print(
        f"\n{detected} of {len(sick)} faults detected, {false} false alarms on {len(well)} healthy profiles, {seconds:.1f} s"
    )
    return 0 if detected == len(sick) and not false else 1


if __name__ == "__main__":
    sys.exit(main())
