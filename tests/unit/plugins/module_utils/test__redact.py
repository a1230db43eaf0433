# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _redact

#: Shaped like a key, and none.
SECRET = "notArealKey0123456789notArealKey"


@pytest.mark.parametrize(
    "text",
    [
        f"key is {SECRET} here",
        f"https://host/?key={SECRET}",
        "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode(),
        "Basic " + base64.b64encode(f"u:{SECRET}x".encode()).decode(),
        base64.b64encode(f"ab{SECRET}".encode()).decode(),
    ],
)
def test_a_known_secret_goes_in_every_form(text: str) -> None:
    clean, count = _redact.redacted(text, [SECRET])
    assert count >= 1
    assert not _redact.found(clean, [SECRET])
    assert _redact.found(text, [SECRET])


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abc123def456", "Authorization: <redacted>"),
        ('{"authorization": "Bearer abc123def456"}', '{"authorization": "<redacted>"}'),
        ("curl with Bearer abc123def456", "curl with Bearer <redacted>"),
        ("api_key='abc', port=8000", "api_key='<redacted>', port=8000"),
        ("server_args=ServerArgs(api_key='k1', host='h')", "server_args=ServerArgs(api_key='<redacted>', host='h')"),
        ("vllm serve --api-key abc --port 8000", "vllm serve --api-key <redacted> --port 8000"),
        ("Authorization: ApiKey XYZ", "Authorization: <redacted>"),
        ("Authorization: XYZ\nHost: a", "Authorization: <redacted>\nHost: a"),
        ("WEBUI_SECRET_KEY=abc", "WEBUI_SECRET_KEY=<redacted>"),
        ("SECRET_KEY=abc", "SECRET_KEY=<redacted>"),
        ("ENCRYPTION_KEY: abc", "ENCRYPTION_KEY: <redacted>"),
        ("LMCACHE_ENCRYPTION_KEY=abc", "LMCACHE_ENCRYPTION_KEY=<redacted>"),
        ("secretKey: abc", "secretKey: <redacted>"),
        ("DB_PASS=abc", "DB_PASS=<redacted>"),
        ("--db-pass abc", "--db-pass <redacted>"),
        ("    auth_pass abc", "    auth_pass <redacted>"),
        ('{"api_keys": ["abc", "def"]}', '{"api_keys": <redacted>}'),
        ("HF_TOKEN=hf_abc", "HF_TOKEN=<redacted>"),
        ("password: hunter2 ", "password: <redacted> "),
        ("https://user:pw@proxy.example/", "https://user:<redacted>@proxy.example/"),
        ("hf_abcdefghijklmnopqrst", "<redacted>"),
        ("-----BEGIN EC PRIVATE KEY-----\nMHc=\n-----END EC PRIVATE KEY-----\nx", "<redacted>\nx"),
        ("-----BEGIN PRIVATE KEY-----\ncut off", "<redacted>"),
        ("Received request a: prompt: 'my illness', params", "Received request a: prompt: <redacted>"),
        ('{"messages": [{"role": "user"}]}', '{"messages": <redacted>'),
    ],
)
def test_what_looks_like_a_secret_goes(text: str, clean: str) -> None:
    assert _redact.redacted(text) == (clean, 1)


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens=512",
        "prompt_tokens_total 5",
        "token_path=/etc/gpufleet/ray_token",
        "Avg prompt throughput: 12.0 tokens/s",
        "NCCL_IB_HCA==mlx5_0",
        "generation_tokens: 7",
        "api_keys_path: /x",
        "keyboard: us",
        "monkey=1",
        "bypass: 1",
        "kv_cache=8",
        "NCCL_IB_PKEY=0",
        "num_key_value_heads: 8",
    ],
)
def test_what_helps_stays(text: str) -> None:
    assert _redact.redacted(text) == (text, 0)


def test_a_known_secret_goes_where_json_escapes_it() -> None:
    secret = 'not"a\\real-secret'
    text = json.dumps({"text": f"it is {secret}"})
    assert _redact.found(text, [secret])
    assert _redact.redacted(text, [secret]) == ('{"text": "it is <redacted>"}', 1)


def test_short_values_take_no_words_out() -> None:
    assert _redact.redacted("the key of lab1", ["lab1"]) == ("the key of lab1", 0)


def test_values_of_secret_files() -> None:
    texts = [
        "# comment\nalice:notArealKey0123456789\n",
        "onlyToken0123\n",
        "-----BEGIN X-----\nMHcCAQEEIexample\n-----END X-----",
    ]
    assert _redact.values(texts) == [
        "alice:notArealKey0123456789",
        "notArealKey0123456789",
        "onlyToken0123",
        "MHcCAQEEIexample",
    ]


def test_environment_keeps_names_and_what_is_no_secret() -> None:
    given = [
        "HF_TOKEN=x",
        "NCCL_DEBUG=INFO",
        "RAY_AUTH_TOKEN_PATH=/run/t",
        "S3_ACCESS_KEY=y",
        "WEBUI_SECRET_KEY=y",
        "DB_PASS=y",
        "PASS_KEYS=y",
        "MONKEY=y",
        "EMPTY",
    ]
    assert _redact.environment(given) == [
        "HF_TOKEN=<redacted>",
        "NCCL_DEBUG=INFO",
        "RAY_AUTH_TOKEN_PATH=/run/t",
        "S3_ACCESS_KEY=<redacted>",
        "WEBUI_SECRET_KEY=<redacted>",
        "DB_PASS=<redacted>",
        "PASS_KEYS=<redacted>",
        "MONKEY=y",
        "EMPTY",
    ]
