# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_judge as load_judge
from tests.unit.plugins.plugin_utils import load_samples as samples

GOOD = samples.recorded("closed_4")


def judged(wishes: dict[str, t.Any], *results: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """Return the checks by name and subject."""
    found = load_judge.checks(samples.points(wishes, *results), wishes)
    return {f"{one['node']}: {one['name']}: {one['subject']}": one for one in found}


def one(name: str, *results: dict[str, t.Any], **wishes: t.Any) -> dict[str, t.Any]:
    return judged(samples.wishes(**wishes), *results)[f"deep gateway: {name}"]


@pytest.mark.parametrize(
    ("result", "share", "verdict", "words"),
    [
        (GOOD, 1.0, "pass", "16 of 16"),
        (
            {**GOOD, "failed": 1, "errors": [{"text": "Bad Gateway", "count": 1}]},
            1.0,
            "fail",
            "16 of 17: Bad Gateway (1)",
        ),
        (
            {**GOOD, "failed": 1, "errors": [{"text": "Bad Gateway", "count": 1}]},
            0.9,
            "warn",
            "16 of 17: Bad Gateway (1)",
        ),
        (samples.recorded("refused"), 0.0, "fail", "0 of 4: Unauthorized (4)"),
        (samples.recorded("nobody"), 1.0, "fail", "0 of 4: ClientConnectorError: Cannot connect"),
        ({"problem": "docker is not installed"}, 1.0, "not_verified", "docker is not installed"),
        ({**GOOD, "completed": 0}, 1.0, "not_verified", "sent nothing"),
        ({"problem": "the run ended before this point"}, 1.0, "not_verified", "the run ended"),
    ],
)
def test_requests_must_be_answered(result: dict[str, t.Any], share: float, verdict: str, words: str) -> None:
    found = one("requests answered: 32/12, 1 client", result, success_share=share, concurrency=[1])
    assert (found["verdict"], words in found["observed"]) == (verdict, True), found
    assert bool(found["remedy"]) == (verdict != "pass")


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [(word, text) for word, text in load_judge.REMEDIES.items()] + [("a new one", load_judge.OTHERWISE)],
)
def test_each_reason_has_its_remedy(reason: str, remedy: str) -> None:
    assert load_judge.remedy({"errors": [{"text": f"x: {reason} y", "count": 1}]}) == remedy


def test_an_untrusted_certificate_is_not_taken_for_a_closed_port() -> None:
    text = "Cannot connect to host gw:443 ssl:True [SSLCertVerificationError: (1, '[SSL: CERTIFICATE_VERIFY_FAILED]"
    assert "ca_path" in load_judge.remedy({"errors": [{"text": text, "count": 1}]})


def test_short_replies_are_told() -> None:
    found = one("length of replies: 32/12, 1 client", {**GOOD, "least_output_tokens": 3}, concurrency=[1])
    assert (found["verdict"], found["observed"], found["expected"]) == ("warn", "as little as 3 tokens", "12 tokens")
    assert not any("length" in name for name in judged(samples.wishes(), GOOD, GOOD))


def test_lengths_that_vary_are_not_judged() -> None:
    mix = {"name": "32/12", "input": 32, "output": 12, "range": 0.5}
    assert not any(
        "length" in name for name in judged(samples.wishes(lengths=[mix]), {**GOOD, "least_output_tokens": 3})
    )


def slo(*shares: float, **wishes: t.Any) -> dict[str, t.Any]:
    """Judge an SLO with points of which so large shares are good."""
    results = [{**GOOD, "good_requests_per_second": share * 16 / GOOD["seconds"]} for share in shares]
    loads = [2**place for place in range(len(shares))]
    return one("SLO: 32/12, closed loop", *results, slo={"ttft_ms": 60, "tpot_ms": 9}, concurrency=loads, **wishes)


def test_the_slo_is_kept_up_to_a_load() -> None:
    found = slo(1.0, 0.96, 0.5)
    assert found["verdict"] == "pass" and "kept up to 2 clients" in found["observed"]
    assert found["expected"] == "TTFT 60 ms, TPOT 9 ms, by 95 % of requests"


def test_an_slo_that_no_load_keeps_fails() -> None:
    found = slo(0.9, 0.1)
    assert found["verdict"] == "fail" and "kept by 90 % at best, with 1 client" in found["observed"]
    assert slo(0.9, 0.1, slo_share=0.8)["verdict"] == "pass"


def test_an_slo_that_nobody_looked_at_is_not_verified() -> None:
    found = one("SLO: 32/12, closed loop", {"problem": "no image"}, slo={"ttft_ms": 60}, concurrency=[1])
    assert found["verdict"] == "not_verified"


BOTH = [samples.target("deep gateway"), samples.target("deep engine")]


@pytest.mark.parametrize(
    ("through", "verdict"),
    [
        (GOOD, "pass"),
        ({**GOOD, "output_tokens_per_second": GOOD["output_tokens_per_second"] * 0.97}, "warn"),
        ({**GOOD, "ttft_ms": {**GOOD["ttft_ms"], "p50": GOOD["ttft_ms"]["p50"] + 1.5}}, "warn"),
        ({**GOOD, "output_tokens_per_second": GOOD["output_tokens_per_second"] * 0.99}, "pass"),
    ],
)
def test_the_cost_of_the_gateway(through: dict[str, t.Any], verdict: str) -> None:
    found = one("cost of the gateway: 32/12, 1 client", through, GOOD, targets=BOTH, concurrency=[1])
    assert found["verdict"] == verdict
    assert bool(found["remedy"]) == (verdict == "warn")
    assert found["observed"].startswith("throughput ") and "median TTFT +" in found["observed"]


def test_there_is_no_cost_to_judge_without_both_ways_or_limits() -> None:
    failed = samples.recorded("refused")
    for wishes, results in (
        (samples.wishes(), (GOOD, GOOD)),
        (samples.wishes(targets=BOTH, concurrency=[1], gateway_tax={}), (GOOD, GOOD)),
        (samples.wishes(targets=BOTH, concurrency=[1]), (GOOD, failed)),
    ):
        assert not any("cost" in name for name in judged(wishes, *results))
