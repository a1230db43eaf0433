# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the engines by their file names: a new engine is a new file in ``_engines``.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import importlib
import pkgutil

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _engines
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import Engine


def names() -> list[str]:
    """Return the names of the known engines."""
    return sorted(found.name for found in pkgutil.iter_modules(_engines.__path__))


def engine(name: str) -> Engine:
    """Return the engine of that name. Raises KeyError for an unknown one."""
    if name not in names():
        raise KeyError(name)
    module = importlib.import_module(f"{_engines.__name__}.{name}")
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Engine)]
    return next(kind() for kind in kinds if kind.name == name)
