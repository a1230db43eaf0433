#!/usr/bin/env python3
# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what `vllm bench serve` writes: figures for who has the key, failed requests for others; it dies with /tmp/stand_in_dies."""

from __future__ import annotations

import json
import os
import pathlib
import sys

if os.path.exists("/tmp/stand_in_dies"):
    sys.exit("ValueError: told to")
words = sys.argv[1:]
given = {name: words[place + 1] for place, name in enumerate(words[:-1]) if name.startswith("--")}
count = int(given["--num-prompts"])
known = os.environ.get("OPENAI_API_KEY") == "molecule0only0molecule0only"
spread = {
    f"{part}_{name}_ms": 20.0 for part in ("mean", "p50", "p95", "p99") for name in ("ttft", "tpot", "itl", "e2el")
}
said = {
    "duration": 2.0,
    "completed": count if known else 0,
    "failed": 0 if known else count,
    "total_input_tokens": count * 1024,
    "total_output_tokens": count * 256,
    "request_throughput": count / 2,
    "request_goodput": count / 2,
    "output_throughput": count * 128.0,
    "total_token_throughput": count * 640.0,
    "output_lens": [256 if known else 0] * count,
    "ttfts": [0.02 if known else 0.0] * count,
    "latencies": [0.1 if known else 0.0] * count,
    "errors": ["" if known else "Unauthorized"] * count,
    **spread,
}
path = pathlib.Path(given["--result-dir"]) / given["--result-filename"]
path.write_text(json.dumps(said), encoding="utf-8")
