# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import itertools
import re
import typing as t

import pytest
from molecule.command.idempotence import Idempotence

from ansible_collections.gpufleet.inference.plugins.callback import progress
from ansible_collections.gpufleet.inference.plugins.plugin_utils._result import Where

WRITE = {
    "name": "kernel | Write it",
    "ansible.builtin.copy": {"content": "a=1\n", "dest": "out-{{ inventory_hostname }}"},
}
LOOK = {"name": "kernel | Look", "ansible.builtin.command": "true", "changed_when": False}
RUN = {"name": "kernel | Run it", "ansible.builtin.command": "true"}
BREAK = {"name": "Break", "ansible.builtin.fail": {"msg": "Two mistakes:\n- first\n- second"}}


def body(text: str) -> list[str]:
    """The output of a plain run between the play and the recap."""
    after = text.partition("PLAY [Try it]")[2].partition("\n")[2]
    return after.partition("\nPLAY RECAP")[0].splitlines()


def test_plain_output_is_a_line_per_stage_and_per_change(play: t.Any) -> None:
    play.role("os_tuning", [LOOK, WRITE])
    done = play.run(tasks=[RUN | {"name": "Run it"}], roles=["os_tuning"])
    assert done.rc == 0
    assert body(done.text) == [
        "TASKS [os_tuning : kernel]",
        "changed: [lab1, lab2] Write it",
        "TASKS [Try it]",
        "changed: [lab1, lab2] Run it",
    ]
    assert "\x1b" not in done.text


def test_a_run_without_changes_shows_only_its_stages_and_the_recap(play: t.Any) -> None:
    done = play.run(tasks=[LOOK])
    assert body(done.text) == ["TASKS [kernel]"]
    assert [line.split() for line in done.lines if " : " in line] == [
        f"{host} : ok=1 changed=0 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0".split()
        for host in ("lab1", "lab2")
    ]


def test_molecule_finds_what_is_not_idempotent(play: t.Any) -> None:
    reader = Idempotence.__new__(Idempotence)
    changed = play.run(tasks=[RUN, RUN | {"name": "Run it again"}]).text
    assert not reader._is_idempotent(changed)
    assert reader._non_idempotent_tasks(changed) == ["* [lab1, lab2] => kernel", "* [lab1, lab2] => Try it"]
    assert reader._is_idempotent(play.run(tasks=[LOOK]).text)


def test_a_failure_is_shown_in_full_and_once(play: t.Any) -> None:
    done = play.run(tasks=[BREAK])
    assert done.rc == 2
    lines = body(done.text)
    first, second = [line for line in lines if line.startswith("failed: ")]
    at = lines.index(first)
    assert lines[at + 1 : at + 4] == ["    Two mistakes:", "    - first", "    - second"]
    assert {first, second} == {"failed: [lab1] Break", "failed: [lab2] Break"}
    assert lines[lines.index(second) + 1] == f"    the same as on {first[9:13]}"


def below(news: list[str], line: str) -> list[str]:
    """What stands below a line, as far as it is indented."""
    rest = news[news.index(line) + 1 :]
    return list(itertools.takewhile(lambda one: one.startswith("    "), rest))


def test_a_proof_shows_what_did_not_pass_with_its_remedy(news: list[str]) -> None:
    assert below(news, "failed: [lab1] Look") == [
        "    warn  swap  2 GiB, expected none",
        "          → Turn swap off.",
        "    fail  THP   always, expected madvise",
        "          → Run the role os_tuning.",
    ]


def test_a_program_that_fails_is_quoted(news: list[str]) -> None:
    assert below(news, "ignored: [lab1] Call") == [
        "    non-zero return code",
        "    command: sh -c 'echo words >&2; exit 3'",
        "    exit code: 3",
        "    stderr:",
        "      words",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "failed, rescued: [lab1] Break",
        "changed: [lab1] Mend",
        "ignored: [lab1] Shrug",
        "changed: [lab1] Each (a, b)",
        "ignored: [lab1] Some (b)",
        "changed: [lab1 -> lab2] There",
    ],
)
def test_every_kind_of_news_is_one_line(news: list[str], line: str) -> None:
    assert news.count(line) == 1


def test_what_was_ok_or_of_no_interest_is_not_shown(news: list[str]) -> None:
    assert not any("Some (a)" in line or line.endswith("Some") for line in news)


def test_debug_is_always_shown(news: list[str]) -> None:
    assert below(news, "note: [lab1] Tell") == ["    a word"]


def test_warnings_are_shown(news: list[str]) -> None:
    assert any("mind the gap" in line for line in news)


def test_nothing_of_a_no_log_task_is_shown_even_with_vvv(play: t.Any) -> None:
    task = {"name": "Secret", "ansible.builtin.command": "echo {{ 'hunter' ~ '2' }}", "no_log": True}
    bad = {"name": "Secret failure", "ansible.builtin.fail": {"msg": "{{ 'hunter' ~ '2' }}"}, "no_log": True}
    loop = {
        "name": "Secret loop",
        "ansible.builtin.command": "echo {{ item }}",
        "loop": "{{ ['hunter' ~ '2'] }}",
        "no_log": True,
    }
    done = play.run("-vvv", tasks=[task, loop, bad])
    assert "failed: [lab1] Secret failure" in done.text
    assert "hunter2" not in done.text


def test_nodes_with_the_same_diff_share_it(play: t.Any) -> None:
    write = {"name": "Write", "ansible.builtin.copy": {"content": "a=1\n", "dest": "out"}}
    assert body(play.run("--diff", "--check", tasks=[write]).text) == [
        "TASKS [Try it]",
        "would change: [lab1, lab2] Write",
        "    --- before",
        "    +++ after: out",
        "    @@ -0,0 +1 @@",
        "    +a=1",
    ]


def test_unreachable_hosts_are_shown(play: t.Any) -> None:
    away = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    done = play.run("--limit", "lab1", tasks=[LOOK], vars=away)
    assert done.rc == 4
    assert "unreachable: [lab1] Look" in done.lines


@pytest.mark.parametrize(("arguments", "shown"), [((), False), (("-v",), True)])
def test_v_shows_what_was_ok(play: t.Any, arguments: tuple[str, ...], shown: bool) -> None:
    done = play.run(*arguments, tasks=[LOOK])
    assert ("ok: [lab1] Look" in done.lines) is shown


def test_a_terminal_gets_a_live_line_and_the_same_news(play: t.Any) -> None:
    play.role("os_tuning", [WRITE, LOOK | {"name": "prove | Look"}])
    done = play.run(roles=["os_tuning"], terminal=True, environment={"ANSIBLE_NOCOLOR": "1"})
    assert done.rc == 0
    assert "\r\x1b[2K  … os_tuning : kernel | Write it  0/2  0 s\r" in done.text
    # What is left on the screen: every live line is cleared before something else is written.
    screen = re.sub(r"[^\n]*\x1b\[2K", "", done.text.replace("\r\n", "\n"))
    assert "  os_tuning : kernel\n    changed: [lab1, lab2] Write it\n" in screen
    assert re.search(r"^  os_tuning : prove +\d+\.\d s$", screen, re.MULTILINE)
    assert "…" not in screen


@pytest.mark.parametrize(
    "environment",
    [{"CI": "true"}, {"TERM": "dumb"}, {"GPUFLEET_PROGRESS_LIVE": "never"}],
    ids=lambda one: next(iter(one)),
)
def test_no_live_line_where_it_does_not_belong(play: t.Any, environment: dict[str, str]) -> None:
    done = play.run(tasks=[LOOK], terminal=True, environment={"ANSIBLE_NOCOLOR": "1", **environment})
    assert "\x1b" not in done.text
    assert "TASKS [kernel]" in done.text


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "expected"),
    [
        (Screen(), {"TERM": "xterm"}, True),
        (Screen(), {"TERM": "xterm", "CI": ""}, True),
        (Screen(), {"TERM": "xterm", "CI": "true"}, False),
        (Screen(), {"TERM": "dumb"}, False),
        (Screen(), {}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_can_draw(stream: io.StringIO, environment: dict[str, str], expected: bool) -> None:
    assert progress.can_draw(stream, environment) is expected


def test_running_text_says_what_where_and_how_long() -> None:
    text = progress.running_text(Where("container_runtime", "install", "Install it"), 1, 8, 75.9)
    assert text == "  … container_runtime : install | Install it  1/8  75 s"


def test_long_messages_are_wrapped_and_keep_their_indentation() -> None:
    text = progress.failure_text({"msg": "x\n  " + "words " * 40})
    assert max(map(len, text.splitlines())) <= 92
    assert all(line.startswith("  words") for line in text.splitlines()[1:])
