# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what the chat page is: its form, where it listens, what it may call, its files; and name every mistake.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``node`` is what ``node_facts`` read. ``wishes`` are the role's variables without their prefix, and the texts of files on
the controller: ``keys_text`` (of the gateway's key file), ``admin_password``, ``session_key``, ``secrets_text``; None when
there is no such file (yet).
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
import urllib.parse

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _chat_settings, _gateway_keys

UNIT = "gpufleet-chat.service"
#: Where the certificate that the gateway is trusted by lies, as the page sees it.
CA_PATH = "/run/gpufleet-chat-ca.crt"
#: Where the data of the page lies in the official image.
IMAGE_DATA = "/app/backend/data"

LOOPBACK = "127.0.0.1"
#: What may stand between the quotes of a file of variables.
ONE_LINE = re.compile(r"[^'\\\x00-\x1f\x7f]+")
EMAIL = re.compile(r"[^\s@'\\]+@[^\s@'\\]+")


def plan(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what must be so::

    {"form": "venv" or "container", "api_urls": […], "models": [served names], "settings": text, "secrets": text,
     "hosts": text, "allowed": [addresses that the page may call], "mistakes": […]}
    """
    form = "container" if wishes["image"] else "venv"
    urls = api_urls(wishes["endpoints"], wishes["gateway"])
    api_key, mistakes = _api_key(
        wishes["keys_text"], wishes["api_key_name"], wishes["gateway"].get("api_keys_path", "")
    )
    values, wrong = _chat_settings.settings(_own(wishes, form, urls), form == "venv", wishes["environment"])
    given, unreadable = _chat_settings.read_secrets(wishes["secrets_text"] or "")
    secrets = {
        "OPENAI_API_KEYS": ";".join([api_key] * len(urls)),
        "WEBUI_SECRET_KEY": wishes["session_key"] or "",
        "WEBUI_ADMIN_PASSWORD": wishes["admin_password"] or "",
    }
    return {
        "form": form,
        "api_urls": urls,
        "models": list(dict.fromkeys(one["served_name"] for one in wishes["endpoints"])),
        "settings": _chat_settings.plain_text(values),
        "secrets": _chat_settings.quoted_text({**secrets, **given}),
        "hosts": hosts(urls, address(wishes["gateway"])),
        "allowed": allowed(urls, address(wishes["gateway"]), wishes["allowed_addresses"]),
        "mistakes": mistakes + wrong + unreadable + _secret_mistakes(wishes) + _mistakes(node, wishes, form),
    }


def api_urls(endpoints: t.Sequence[t.Mapping[str, t.Any]], gateway: t.Mapping[str, t.Any]) -> list[str]:
    """Return the base URLs (with ``/v1``) under which the gateway serves the deployments, each once.

    A deployment without a ``port`` of its own is at ``gateway.url``.
    """
    url = str(gateway.get("url", "")).rstrip("/")
    found: dict[str, None] = {}
    for one in endpoints:
        found[f"{_with_port(url, one.get('port'))}/v1"] = None
    return list(found)


def address(gateway: t.Mapping[str, t.Any]) -> str:
    """Return where the gateway listens on this host, loopback unless it has one address of its own."""
    return str(gateway.get("address") or LOOPBACK).strip("[]")


def hosts(urls: t.Sequence[str], gateway: str) -> str:
    """Return the page's own ``/etc/hosts``: the gateway's name leads to this host, without asking a name server."""
    names = dict.fromkeys(name for name in map(_host, urls) if not _is_address(name))
    own = "".join(f"{gateway} {name}\n" for name in names if name != "localhost")
    return f"127.0.0.1 localhost\n::1 localhost\n{own}"


def allowed(urls: t.Sequence[str], gateway: str, further: t.Sequence[str]) -> list[str]:
    """Return what the page may call: loopback, the gateway (at ``gateway`` on this host), and what the user adds."""
    addresses = ["localhost", *(host for host in map(_host, urls) if _is_address(host))]
    addresses += [] if gateway == LOOPBACK else [gateway]
    return list(dict.fromkeys([*addresses, *further]))


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).hostname or ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _own(wishes: t.Mapping[str, t.Any], form: str, urls: t.Sequence[str]) -> dict[str, str]:
    """Return the variables that follow from the role's own."""
    data = IMAGE_DATA if form == "container" else wishes["data_directory"]
    own = {
        "WEBUI_URL": wishes["url"],
        "CORS_ALLOW_ORIGIN": wishes["url"],
        "WEBUI_ADMIN_EMAIL": wishes["admin_email"],
        "OPENAI_API_BASE_URLS": ";".join(urls),
        "DATA_DIR": data,
        # It is written at every start, and the program's own files are read-only.
        "STATIC_DIR": f"{data}/static",
    }
    if wishes["gateway"].get("ca_path"):
        own["AIOHTTP_CLIENT_SSL_CERT_FILE"] = CA_PATH
    return own


def _api_key(text: str | None, name: str, path: str) -> tuple[str, list[str]]:
    """Return the key with which the page calls the gateway, and what is wrong; empty while the key file is to be made."""
    if text is None:
        return "", [f"chat_ui_api_key_name: write a line {name}:KEY into {path}"] if name else []
    keys, mistakes = _gateway_keys.read_keys(text)
    if mistakes:
        # The gateway names them.
        return "", []
    for one in keys:
        if name in ("", one["name"]):
            return one["key"], []
    return "", [f"chat_ui_api_key_name: {path} has no key {name}; write a line {name}:KEY"]


def _secret_mistakes(wishes: t.Mapping[str, t.Any]) -> list[str]:
    """Name the files whose text would end its own quotes in the file of variables, never the text."""
    variables = {"admin_password": "chat_ui_admin_password_path", "session_key": "chat_ui_session_key_path"}
    return [
        f"{variable}: the file must be one line without ' and \\"
        for wish, variable in variables.items()
        if wishes[wish] is not None and not ONE_LINE.fullmatch(wishes[wish])
    ]


def _mistakes(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any], form: str) -> list[str]:
    found = []
    for name in ("port", "local_port"):
        if not 1 <= int(wishes[name]) <= 65535:
            found.append(f"chat_ui_{name}: must be 1 to 65535, not {wishes[name]}")
    if wishes["port"] == wishes["local_port"]:
        found.append(f"chat_ui_local_port: {wishes['local_port']} is chat_ui_port; set another")
    taken = {one["port"] for one in node.get("listening", [])}
    active = node.get("units", {}).get(UNIT, {}).get("active") == "active"
    if wishes["local_port"] in taken and not active:
        found.append(f"chat_ui_local_port: another service listens on {wishes['local_port']}; set another")
    if not EMAIL.fullmatch(wishes["admin_email"]):
        found.append(f"chat_ui_admin_email: must be like admin@example.com, not {wishes['admin_email']!r}")
    if form == "container":
        return found + _image_mistakes(node, wishes)
    if not wishes["python"]:
        found.append(
            "chat_ui_image: this platform has neither Python 3.11 nor 3.12, which Open WebUI needs; name its container image, "
            "or set chat_ui_python and chat_ui_packages"
        )
    if wishes["wheel_archive"] and not wishes["wheel_archive_found"]:
        found.append(
            f"chat_ui_wheel_archive: {wishes['wheel_archive']} does not exist on the controller; docs/chat.md makes it"
        )
    return found


def _image_mistakes(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> list[str]:
    image = wishes["image"]
    if image in wishes["images"] or image in node.get("docker", {}).get("images", {}):
        return []
    return [
        f"chat_ui_image: {image} is neither in container_runtime_images ({', '.join(wishes['images']) or 'none'}) nor on the "
        "node; add it there with a digest or an archive"
    ]


def _with_port(url: str, port: t.Any) -> str:
    """Return a URL with another port, or as it is."""
    if not port:
        return url
    parts = urllib.parse.urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{port}"
