# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment of the chat page: what Open WebUI is told, and how files of variables are written.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

The names are those of Open WebUI 0.12.4, ``open_webui/env.py`` and ``open_webui/config.py``.
"""

from __future__ import annotations

import re
import typing as t

#: Values that would mean something to a reader of such files: systemd, Docker, a shell.
UNSAFE = re.compile(r"[\n\r\\]|^['\"]")
NAME = re.compile(r"[A-Z][A-Z0-9_]*")
SECRET_NAME = re.compile(r"(?:KEYS?|PASSWORD|SECRET|TOKEN)$")

#: Nothing is fetched from elsewhere by the page or by the browser, whatever a model writes into its reply.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)

FIXED: dict[str, str] = {
    # Settings are what the inventory says, at every start; else the database keeps those of the first start.
    "ENABLE_PERSISTENT_CONFIG": "false",
    # No interactive description of the page's own API.
    "ENV": "prod",
    # Who may enter. All who may enter see all models; else new users see none until somebody allows each.
    "ENABLE_SIGNUP": "false",
    "DEFAULT_USER_ROLE": "pending",
    "BYPASS_MODEL_ACCESS_CONTROL": "true",
    "ENABLE_PUBLIC_ACTIVE_USERS_COUNT": "false",
    "SHOW_ADMIN_DETAILS": "false",
    # Chats are their owners': an administrator can neither read nor export them in the page.
    "ENABLE_ADMIN_CHAT_ACCESS": "false",
    "ENABLE_ADMIN_EXPORT": "false",
    "WEBUI_SESSION_COOKIE_SECURE": "true",
    "WEBUI_AUTH_COOKIE_SECURE": "true",
    # Only the gateway on this host may say who the client is.
    "FORWARDED_ALLOW_IPS": "127.0.0.1",
    "XCONTENT_TYPE": "nosniff",
    "XFRAME_OPTIONS": "SAMEORIGIN",
    "REFERRER_POLICY": "same-origin",
    "CONTENT_SECURITY_POLICY": CONTENT_SECURITY_POLICY,
    # Nobody is called but the gateway.
    "OFFLINE_MODE": "true",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "ENABLE_VERSION_UPDATE_CHECK": "false",
    "ANONYMIZED_TELEMETRY": "false",
    "SCARF_NO_ANALYTICS": "true",
    "DO_NOT_TRACK": "true",
    "ENABLE_OTEL": "false",
    "ENABLE_OLLAMA_API": "false",
    "ENABLE_DIRECT_CONNECTIONS": "false",
    "ENABLE_WEB_SEARCH": "false",
    "ENABLE_IMAGE_GENERATION": "false",
    "ENABLE_COMMUNITY_SHARING": "false",
    "ENABLE_EVALUATION_ARENA_MODELS": "false",
    # A plug-in is Python that runs on this host.
    "ENABLE_PLUGINS": "false",
    "ENABLE_PIP_INSTALL_FRONTMATTER_REQUIREMENTS": "false",
    # An uploaded text goes into the prompt as it is: no embedding model is needed.
    "BYPASS_EMBEDDING_AND_RETRIEVAL": "true",
    # Each of these would be further requests to the model for every message of a user.
    "ENABLE_TITLE_GENERATION": "false",
    "ENABLE_TAGS_GENERATION": "false",
    "ENABLE_FOLLOW_UP_GENERATION": "false",
    "ENABLE_SEARCH_QUERY_GENERATION": "false",
    "ENABLE_RETRIEVAL_QUERY_GENERATION": "false",
    "ENABLE_AUTOCOMPLETE_GENERATION": "false",
    # They need an embedding model, or act without their user.
    "ENABLE_MEMORIES": "false",
    "ENABLE_AUTOMATIONS": "false",
    # Its default, "native", sends tools of its own with every message, which an engine without a tool parser answers with 400.
    "DEFAULT_MODEL_PARAMS": '{"function_calling": "legacy"}',
}

#: What the slim form, without PyTorch and what needs it, is told beside that.
SLIM: dict[str, str] = {"USE_SLIM_DOCKER": "true"}


def settings(
    own: t.Mapping[str, str], slim: bool, wished: t.Mapping[str, t.Any] | None = None
) -> tuple[dict[str, str], list[str]]:
    """Return the variables that are no secret, and the mistakes in those that the user wishes.

    ``own`` are what the role itself gives (addresses, directories), ``wished`` those of ``chat_ui_environment``, which win.
    """
    mistakes = []
    values = {**FIXED, **(SLIM if slim else {}), **own}
    for name, value in (wished or {}).items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if not NAME.fullmatch(str(name)):
            mistakes.append(f"chat_ui_environment.{name}: a variable has capital letters, digits and _")
        elif SECRET_NAME.search(name):
            mistakes.append(f"chat_ui_environment.{name}: a secret; write it into the file chat_ui_secrets_path")
        elif UNSAFE.search(text):
            mistakes.append(f"chat_ui_environment.{name}: must be one line without \\ that begins with no quote")
        else:
            values[name] = text
    return values, mistakes


def plain_text(values: t.Mapping[str, str]) -> str:
    """Return a file of variables as systemd and Docker read it, sorted."""
    return "".join(f"{name}={value}\n" for name, value in sorted(values.items()))


def quoted_text(values: t.Mapping[str, str]) -> str:
    """Return a file of variables as systemd and a shell read it. Values hold no quote (``read_secrets`` sees to it)."""
    return "".join(f"{name}='{value}'\n" for name, value in sorted(values.items()))


def read_secrets(text: str) -> tuple[dict[str, str], list[str]]:
    """Return the variables of the user's file of ``NAME=value`` lines, and its mistakes, which never hold a value."""
    values: dict[str, str] = {}
    mistakes = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not NAME.fullmatch(name):
            mistakes.append(f"chat_ui_secrets_path, line {number}: must be NAME=value with a name in capital letters")
        elif "'" in value or UNSAFE.search(value):
            mistakes.append(
                f"chat_ui_secrets_path, line {number}: the value must hold no ' and no \\ and begin with no quote"
            )
        else:
            values[name] = value
    return values, mistakes
