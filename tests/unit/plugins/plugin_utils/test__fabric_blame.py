# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From bad pairs to the one that explains them: a link, an HCA, a node, a rail, what joins two halves, or all."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _fabric_blame

Bad = t.Callable[[str, str, int], bool]


def outcomes(nodes: int, rails: int, bad: Bad, skip: Bad = lambda one, other, rail: False) -> list[dict[str, t.Any]]:
    """Return the outcomes of all pairs; ``bad`` and ``skip`` are asked with the nodes in both orders."""
    names = [f"n{number}" for number in range(1, nodes + 1)]
    return [
        {
            "server": one,
            "client": other,
            "rail": rail,
            "hcas": {one: f"mlx5_{rail}", other: f"mlx5_{rail}"},
            "bad": "slow" if bad(one, other, rail) or bad(other, one, rail) else "",
        }
        for rail in range(rails)
        for one, other in itertools.combinations(names, 2)
        if not skip(one, other, rail) and not skip(other, one, rail)
    ]


def told(found: t.Sequence[_fabric_blame.Suspect]) -> list[tuple[str, tuple[str, ...], tuple[int, ...]]]:
    return [(one.kind, one.names, one.rails) for one in found]


def half(name: str) -> bool:
    return name in ("n1", "n2")


@pytest.mark.parametrize(
    ("nodes", "rails", "bad", "wanted"),
    [
        (4, 2, lambda one, other, rail: False, []),
        # One slow link between two nodes that do well with others.
        (4, 2, lambda one, other, rail: (one, other, rail) == ("n1", "n3", 1), [("link", ("n1", "n3"), (1,))]),
        # One slow HCA.
        (4, 2, lambda one, other, rail: (one, rail) == ("n3", 1), [("hca", ("n3",), (1,))]),
        (3, 1, lambda one, other, rail: one == "n3", [("hca", ("n3",), (0,))]),
        # One slow node.
        (4, 2, lambda one, other, rail: one == "n3", [("node", ("n3",), (0, 1))]),
        (3, 4, lambda one, other, rail: one == "n2", [("node", ("n2",), (0, 1, 2, 3))]),
        # Two of them at once.
        (5, 2, lambda one, other, rail: one in ("n2", "n5"), [("node", ("n2",), (0, 1)), ("node", ("n5",), (0, 1))]),
        # A slow HCA and, elsewhere, a slow link.
        (
            5,
            2,
            lambda one, other, rail: (one, rail) == ("n2", 0) or (one, other, rail) == ("n3", "n4", 1),
            [("hca", ("n2",), (0,)), ("link", ("n3", "n4"), (1,))],
        ),
        # Half of a leaf, on one rail, and on both.
        (
            4,
            2,
            lambda one, other, rail: rail == 1 and half(one) != half(other),
            [("group", ("n1+n2", "n3+n4"), (1,))],
        ),
        (4, 2, lambda one, other, rail: half(one) != half(other), [("group", ("n1+n2", "n3+n4"), (0, 1))]),
        # Half of a leaf whose nodes are slow among themselves, too.
        (
            6,
            2,
            lambda one, other, rail: rail == 1 and half(one),
            [("hca", ("n1",), (1,)), ("hca", ("n2",), (1,))],
        ),
        # The switch of a rail.
        (4, 2, lambda one, other, rail: rail == 1, [("rail", (), (1,))]),
        # Everything.
        (4, 2, lambda one, other, rail: True, [("fabric", (), (0, 1))]),
        # Two nodes cannot tell whose fault it is.
        (2, 4, lambda one, other, rail: rail == 2, [("link", ("n1", "n2"), (2,))]),
        (2, 1, lambda one, other, rail: True, [("link", ("n1", "n2"), (0,))]),
        (2, 4, lambda one, other, rail: True, [("fabric", (), (0, 1, 2, 3))]),
    ],
)
def test_who_is_named(nodes: int, rails: int, bad: Bad, wanted: list[t.Any]) -> None:
    assert told(_fabric_blame.find(outcomes(nodes, rails, bad))) == wanted


def test_every_bad_pair_is_explained_by_a_suspect_all_of_whose_pairs_are_bad() -> None:
    """Any pattern at all, on four nodes and one rail."""
    names = ["n1", "n2", "n3", "n4"]
    pairs = list(itertools.combinations(names, 2))
    for pattern in itertools.product([False, True], repeat=len(pairs)):
        ill = dict(zip(pairs, pattern, strict=True))
        given = outcomes(4, 1, lambda one, other, rail, ill=ill: ill.get((one, other), False))  # type: ignore[misc]
        found = _fabric_blame.find(given)
        wanted = {number for number, one in enumerate(given) if one["bad"]}
        assert set().union(*(one.explains for one in found)) == wanted


def test_a_pair_alone_condemns_nobody_until_both_have_met_another_one() -> None:
    def first_round(one: str, other: str, rail: int) -> bool:
        return {one, other} not in ({"n1", "n2"}, {"n3", "n4"})

    given = outcomes(4, 1, lambda one, other, rail: one == "n1", skip=first_round)
    assert told(_fabric_blame.find(given)) == [("link", ("n1", "n2"), (0,))]
    assert _fabric_blame.uncertain(given) == [("n1", 0), ("n2", 0)]
    assert _fabric_blame.good(given) == {0: ["n3", "n4"]}
    swapped = [
        {"server": "n3", "client": "n1", "rail": 0, "hcas": {}, "bad": "slow"},
        {"server": "n4", "client": "n2", "rail": 0, "hcas": {}, "bad": ""},
    ]
    assert told(_fabric_blame.find([*given, *swapped])) == [("hca", ("n1",), (0,))]
    assert _fabric_blame.uncertain([*given, *swapped]) == []


@pytest.mark.parametrize(("rails", "wanted"), [(1, ("hca", ("n3",), (0,))), (2, ("node", ("n3",), (0, 1)))])
def test_a_node_that_is_in_every_pair_is_blamed_before_what_all_share(rails: int, wanted: t.Any) -> None:
    given = outcomes(
        3, rails, lambda one, other, rail: True, skip=lambda one, other, rail: {one, other} == {"n1", "n2"}
    )
    assert told(_fabric_blame.find(given)) == [wanted]


def test_a_link_between_nodes_that_met_others_is_certain() -> None:
    given = outcomes(4, 1, lambda one, other, rail: (one, other) == ("n1", "n2"))
    assert _fabric_blame.uncertain(given) == []


def down(name: str, rail: int, found: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return the outcomes with an HCA of which it was known that it is down."""
    for one in found:
        if one["rail"] == rail and name in (one["server"], one["client"]):
            one |= {"bad": "DOWN", "down": [name]}
    return found


@pytest.mark.parametrize(("nodes", "rails"), [(2, 1), (2, 2), (4, 2)])
def test_what_is_known_to_be_down_is_named_and_nothing_else(nodes: int, rails: int) -> None:
    given = down("n2", 0, outcomes(nodes, rails, lambda *_: False))
    (found,) = _fabric_blame.find(given)
    assert (found.kind, found.names, found.rails, len(found.explains)) == ("down", ("n2",), (0,), nodes - 1)
    assert _fabric_blame.uncertain(given) == []


def test_beside_it_the_others_are_judged_as_ever() -> None:
    given = down("n1", 0, outcomes(4, 2, lambda one, _other, rail: (one, rail) == ("n3", 1)))
    found = _fabric_blame.find(given)
    assert [(one.kind, one.names, one.rails) for one in found] == [("down", ("n1",), (0,)), ("hca", ("n3",), (1,))]
    assert all(given[number]["bad"] == "slow" for number in found[1].explains)


def test_a_partner_that_was_down_says_nothing_about_a_link() -> None:
    given = [one for one in outcomes(3, 1, lambda *_: True) if {one["server"], one["client"]} != {"n1", "n3"}]
    assert ("n2", 0) in _fabric_blame.uncertain(down("n3", 0, given))
