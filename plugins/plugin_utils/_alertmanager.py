# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make Alertmanager's configuration out of a list of receivers, and name every mistake in it.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Credentials are files and never stand here. The URL of a webhook does, as Alertmanager 0.25 cannot read it from a file, so the
configuration itself is a secret file.
"""

from __future__ import annotations

import re
import typing as t

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
SEVERITIES = ("critical", "warning")
KEYS = ("name", "webhook_url", "webhook_credentials_path", "email_to", "severities")
MAIL_KEYS = ("smarthost", "from", "username", "password_path", "tls")

#: Who gets what nobody asked for: alerts show in Alertmanager only.
NOBODY = "nobody"

Receiver = t.Mapping[str, t.Any]


def secret_path(directory: str, receiver: str) -> str:
    """Return where on the monitoring node the credentials of a receiver lie."""
    return f"{directory}/{receiver}.credentials"


def config(
    receivers: t.Sequence[Receiver], mail: t.Mapping[str, t.Any], directory: str, wait_seconds: int = 30
) -> dict[str, t.Any]:
    """Return the content of alertmanager.yml. ``directory``: where secrets lie on the node; ``wait_seconds``: for more of a group."""
    made, routes = [{"name": NOBODY}], []
    for one in receivers:
        made.append(_receiver(one, directory))
        wanted = one.get("severities", SEVERITIES)
        routes.append({"receiver": one["name"], "matchers": [f'severity=~"{"|".join(wanted)}"'], "continue": True})
    found: dict[str, t.Any] = {
        "route": {
            "receiver": NOBODY,
            # One message per fault, not one per node that suffers from it.
            "group_by": ["alertname", "deployment"],
            "group_wait": f"{wait_seconds}s",
            "group_interval": "5m",
            "repeat_interval": "4h",
            "routes": routes,
        },
        "inhibit_rules": [
            {
                "source_matchers": ['alertname="CertificateExpiresSoon"'],
                "target_matchers": ['alertname="CertificateExpires"'],
                "equal": ["instance"],
            },
            {
                "source_matchers": ['alertname="SloBurnsFast"'],
                "target_matchers": ['alertname="SloBurnsSlowly"'],
                "equal": ["deployment", "slo"],
            },
            {
                "source_matchers": ['alertname="DiskFull"'],
                "target_matchers": ['alertname="DiskFills"'],
                "equal": ["node", "mountpoint"],
            },
        ],
        "receivers": made,
    }
    if mail.get("smarthost"):
        found["global"] = {
            "smtp_smarthost": mail["smarthost"],
            "smtp_from": mail["from"],
            "smtp_require_tls": bool(mail.get("tls", True)),
        }
        if mail.get("username"):
            found["global"]["smtp_auth_username"] = mail["username"]
            found["global"]["smtp_auth_password_file"] = secret_path(directory, "mail")
    return found


def secret_files(receivers: t.Sequence[Receiver], mail: t.Mapping[str, t.Any], directory: str) -> dict[str, str]:
    """Return {path on the node: file on the controller} of all credentials."""
    found = {
        secret_path(directory, one["name"]): str(one["webhook_credentials_path"])
        for one in receivers
        if one.get("webhook_credentials_path")
    }
    if mail.get("username"):
        found[secret_path(directory, "mail")] = str(mail["password_path"])
    return found


def _receiver(one: Receiver, directory: str) -> dict[str, t.Any]:
    made: dict[str, t.Any] = {"name": one["name"]}
    if one.get("webhook_url"):
        webhook: dict[str, t.Any] = {"url": str(one["webhook_url"]).strip(), "send_resolved": True}
        if one.get("webhook_credentials_path"):
            webhook["http_config"] = {
                "authorization": {"type": "Bearer", "credentials_file": secret_path(directory, one["name"])}
            }
        made["webhook_configs"] = [webhook]
    if one.get("email_to"):
        made["email_configs"] = [{"to": one["email_to"], "send_resolved": True}]
    return made


def mistakes(receivers: t.Any, mail: t.Mapping[str, t.Any]) -> list[str]:
    """Return one sentence per mistake in ``monitoring_receivers`` and ``monitoring_mail``."""
    if not isinstance(receivers, (list, tuple)):
        return ["monitoring_receivers: must be a list of receivers, each with name and webhook_url or email_to"]
    found, names = [], []
    for number, one in enumerate(receivers):
        where = f"monitoring_receivers[{number}]"
        if not isinstance(one, t.Mapping):
            found.append(f"{where}: must have name and webhook_url or email_to")
            continue
        name = str(one.get("name", ""))
        found += [f"{where}: {key} is unknown; known are {', '.join(KEYS)}" for key in one if key not in KEYS]
        if not NAME.fullmatch(name) or name in (NOBODY, "mail"):
            found.append(
                f"{where}.name: must have small letters, digits, - and _, and not be {NOBODY} or mail, not {name!r}"
            )
        if name in names:
            found.append(f"{where}.name: {name} is used twice")
        names.append(name)
        if not any(one.get(key) for key in ("webhook_url", "email_to")):
            found.append(f"{where}: give webhook_url or email_to")
        unknown = [word for word in one.get("severities", ()) if word not in SEVERITIES]
        found += [f"{where}.severities: {word!r} is unknown; known are {', '.join(SEVERITIES)}" for word in unknown]
        if one.get("email_to") and not (mail.get("smarthost") and mail.get("from")):
            found.append(f"{where}.email_to: set monitoring_mail.smarthost (host:port) and monitoring_mail.from too")
    found += [
        f"monitoring_mail: {key} is unknown; known are {', '.join(MAIL_KEYS)}" for key in mail if key not in MAIL_KEYS
    ]
    if mail.get("username") and not mail.get("password_path"):
        found.append("monitoring_mail.password_path: a username needs a file on the controller with its password")
    return found
