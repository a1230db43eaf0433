# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every case of the matrix is a plan without a mistake; what its checks refuse."""

from __future__ import annotations

import typing as t

import jinja2
import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._chat_template import forced_think
from ansible_collections.gpufleet.inference.plugins.plugin_utils._plan import plan
from tests.lab import matrix
from tests.lab.engine_image import model_shapes
from tests.lab.faults import Group
from tests.lab.shell import LabError
from tests.unit.plugins.plugin_utils.wishes import facts, fleet

#: As make_model.py writes it, which needs torch.
TEMPLATE = (
    "{{ '<|begin|>' }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


@pytest.mark.parametrize("case", [*matrix.CASES, *matrix.FURTHER])
def test_cases_are_planned(case: str) -> None:
    known = matrix.variables(case)
    image = "{{ ray_cluster_image }}"
    nodes = {
        name: {"facts": facts(f"10.77.0.1{at}"), "platform": "x", "gpus": known["ray_cluster_gpus"]}
        for at, name in enumerate(matrix.HOSTS, 1)
    }
    models = {
        one["name"]: {
            "directory": f"/models/{one['name']}",
            "config": model_shapes.CONFIGS[one["name"]],
            "chat_template": TEMPLATE,
            "bytes": 1,
            "problem": "",
        }
        for one in known["model_store_models"]
    }
    planned = plan(
        fleet(
            deployments=known["engine_deployments"],
            nodes=nodes,
            models=models,
            images={image: {"archive_problem": ""}},
            ray={**fleet().ray, "image": image, "gpu_containers": False},
            gateway={"nodes": ["lab1"], "ports": {"gateway_port": 443}},
        )
    )["deployments"]
    for part, one in zip(case.split("+"), planned, strict=True):
        assert part.split(":")[:2] == [one["engine"], one["model"]]
        assert matrix.group_of({**one, "port": one["port"]}).container(0) == one["ranks"][0]["container"]
        assert [rank["node"] for rank in one["ranks"]] == matrix.group_of(one).hosts


def test_an_unknown_case_names_those_there_are() -> None:
    with pytest.raises(LabError, match="there is no case x; there are vllm:tiny-deepseek-v3:tp2, "):
        matrix.deployments("x")


def test_the_prompts_are_those_of_the_template() -> None:
    said = {"messages": [{"role": "user", "content": matrix.SAID}], "add_generation_prompt": True}
    assert jinja2.Template(TEMPLATE).render(said) == matrix.PROMPT
    # Jinja drops a last newline of a template, not of a text in it.
    assert jinja2.Template(forced_think(TEMPLATE)).render(said) == matrix.PROMPT + matrix.THINK


def answer(tokens: int, **choice: t.Any) -> dict[str, t.Any]:
    return {"usage": {"prompt_tokens": tokens}, "choices": [choice]}


@pytest.mark.parametrize(
    ("chat", "forced", "plain", "problem"),
    [
        (answer(9, message={"content": " a b"}), answer(9, text="a b"), answer(7, text="c"), ""),
        (answer(9, message={"content": None, "reasoning_content": "a"}), answer(9, text="a"), answer(7, text=""), ""),
        (answer(7, message={"content": "c"}), answer(9, text="a"), answer(7, text="c"), "have [7, 9, 7] tokens"),
        (answer(9, message={"content": "c"}), answer(9, text="a"), answer(7, text="c"), "in a chat, and 'a' to the"),
    ],
)
def test_a_chat_must_end_with_think(
    monkeypatch: pytest.MonkeyPatch, chat: t.Any, forced: t.Any, plain: t.Any, problem: str
) -> None:
    def post(_group: Group, path: str, **body: t.Any) -> dict[str, t.Any]:
        if "messages" in body:
            return dict(chat)
        return dict(forced if body["prompt"].endswith("<think>\n") else plain)

    monkeypatch.setattr(matrix, "post", post)
    try:
        matrix.must_think(Group("matrix", ["lab1"]))
    except LabError as error:
        assert problem and problem in str(error)
    else:
        assert not problem
