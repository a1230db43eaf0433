# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: alertmanager_config
short_description: Make Alertmanager's configuration out of a list of receivers
version_added: 0.1.0
description:
  - Returns the content of C(alertmanager.yml) and which files on the controller hold the credentials that it names, or fails with
    every mistake in the wishes.
author: The gpufleet founders (@gpufleet)
positional: mail, directory
options:
  _input:
    description: The receivers, each with C(name), C(webhook_url), C(webhook_credentials_path), C(email_to), C(severities).
    type: list
    elements: dict
    required: true
  mail:
    description: C(smarthost), C(from), C(username), C(password_path), C(tls).
    type: dict
    required: true
  directory:
    description: Where on the node the credentials lie.
    type: str
    required: true
  wait_seconds:
    description: How long the first message about a fault waits for more of the same.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Show it
  ansible.builtin.debug:
    msg: "{{ (monitoring_receivers | gpufleet.inference.alertmanager_config({}, '/etc/secrets')).config }}"
"""

RETURN = r"""
_value:
  description: A dictionary with C(config) and C(secrets), path on the node to file on the controller.
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _alertmanager


def alertmanager_config(
    receivers: list[dict[str, t.Any]], mail: dict[str, t.Any], directory: str, wait_seconds: int = 30
) -> dict[str, t.Any]:
    """Return configuration and secrets, or raise AnsibleFilterError with all mistakes."""
    found = _alertmanager.mistakes(receivers, mail)
    if found:
        raise AnsibleFilterError(" ".join(f"{one}." for one in found))
    return {
        "config": _alertmanager.config(receivers, mail, directory, wait_seconds),
        "secrets": _alertmanager.secret_files(receivers, mail, directory),
    }


class FilterModule:
    """The filter alertmanager_config."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"alertmanager_config": alertmanager_config}
