# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Use the chat page as a person does, in a headless Chromium: log in, choose the model, ask, watch the reply grow.

    python chat.py URL EMAIL MODEL PICTURE < password

Prints what was seen as JSON; fails when the reply did not grow or the browser asked another host for anything.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
import typing as t
import urllib.parse

from playwright.sync_api import Page, sync_playwright

QUESTION = "What decides how fast a model answers?"
STEP_MS = 30_000
REPLY_SECONDS = 120.0
REPLY = ".chat-assistant"
#: Without a sandbox, which root in a container has no right to make.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def log_in(page: Page, url: str, email: str, password: str) -> None:
    """Fill the form and wait for the place to write in."""
    page.goto(url, wait_until="load")
    page.fill("input[type=email]", email)
    page.fill("input[type=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_selector("#chat-input")
    # An administrator is shown what is new, a moment after the page.
    page.wait_for_timeout(2000)
    if page.get_by_role("dialog").count():
        page.keyboard.press("Escape")
        page.wait_for_timeout(500)


def choose(page: Page, model: str) -> None:
    """Open the list of models and take one."""
    page.get_by_role("button", name=model).last.click()
    page.locator("#model-selector-list").get_by_text(model).first.click()


def watch(page: Page) -> list[int]:
    """Return the lengths of the reply as it grew, until it is over."""
    page.wait_for_selector(REPLY)
    lengths: list[int] = []
    end = time.monotonic() + REPLY_SECONDS
    while time.monotonic() < end:
        length = len(page.locator(REPLY).last.inner_text())
        if not lengths or lengths[-1] != length:
            lengths.append(length)
        if len(lengths) > 1 and page.locator(".regenerate-response-button").count():
            break
        page.wait_for_timeout(100)
    return lengths


def main(url: str, email: str, model: str, picture: str) -> int:
    password = sys.stdin.read().strip()
    hosts: set[str] = set()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, ignore_https_errors=True)
        page.set_default_timeout(STEP_MS)
        page.on("request", lambda request: hosts.add(urllib.parse.urlsplit(request.url).netloc))
        seen: dict[str, t.Any] = {}
        try:
            log_in(page, url, email, password)
            choose(page, model)
            page.locator("#chat-input").click()
            page.keyboard.type(QUESTION)
            page.keyboard.press("Enter")
            seen = {"lengths": watch(page), "reply": page.locator(REPLY).last.inner_text()[:300]}
        finally:
            page.screenshot(path=picture)
        browser.close()
    seen["other_hosts"] = sorted(hosts - {urllib.parse.urlsplit(url).netloc, ""})
    print(json.dumps(seen, indent=2))
    return 0 if len(seen["lengths"]) > 2 and not seen["other_hosts"] else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
