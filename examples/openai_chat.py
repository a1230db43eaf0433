# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stream a reply of a served model with the ``openai`` client, as any program would.

URL, key and certificate come from the report of the last run: ``python examples/openai_chat.py "Who are you?"``.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import ssl
import sys

import openai


def client_of(endpoint: dict[str, str]) -> openai.OpenAI:
    """Return a client that trusts the gateway's own certificate and knows its key."""
    url = endpoint["url"].rstrip("/")
    line = pathlib.Path(endpoint["api_key_path"]).read_text(encoding="utf-8").splitlines()[0]
    name, _colon, key = line.partition(":")  # one key, or one name:key, per line
    certificate = endpoint.get("certificate_path") or None
    return openai.OpenAI(
        base_url=url if url.endswith("/v1") else f"{url}/v1",
        api_key=(key or name).strip(),
        http_client=openai.DefaultHttpxClient(verify=ssl.create_default_context(cafile=certificate)),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Stream one chat completion through the gateway.")
    parser.add_argument("prompt", nargs="?", default="Say something about two computers that share one model.")
    parser.add_argument("--report", type=pathlib.Path, default=pathlib.Path("reports/last.json"))
    parser.add_argument("--model", help="one of several endpoints, by its model; the first by default")
    parser.add_argument("--max-tokens", type=int, default=64)
    wanted = parser.parse_args()

    if not wanted.report.exists():
        parser.error(f"there is no report at {wanted.report}; run playbooks/site.yml first")
    endpoints = json.loads(wanted.report.read_text(encoding="utf-8"))["endpoints"]
    chosen = [one for one in endpoints if wanted.model in (None, one["model"])]
    if not chosen:
        known = ", ".join(one["model"] for one in endpoints) or "none"
        parser.error(f"the report names no endpoint of that model; known: {known}")

    print(f"{chosen[0]['model']} at {chosen[0]['url']}\n> {wanted.prompt}")
    tokens = 0
    with client_of(chosen[0]) as client:
        stream = client.chat.completions.create(
            model=chosen[0]["model"],
            messages=[{"role": "user", "content": wanted.prompt}],
            max_tokens=wanted.max_tokens,
            stream=True,
        )
        for chunk in stream:
            if not chunk.choices:
                continue
            # A reasoning model thinks first; vLLM sends that as `reasoning`, SGLang as `reasoning_content`.
            delta = chunk.choices[0].delta
            thought = getattr(delta, "reasoning", None) or getattr(delta, "reasoning_content", None)
            text = delta.content or thought
            if text:
                tokens += 1
                print(text, end="", flush=True)
    print(f"\n({tokens} pieces arrived one by one)")
    return 0 if tokens else 1


if __name__ == "__main__":
    sys.exit(main())
