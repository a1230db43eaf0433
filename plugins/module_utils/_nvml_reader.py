# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reading process of ``_nvml``: it asks NVML all that ``_nvml_calls`` lists and sends every answer at once.

One thread per GPU: a GPU whose calls hang does not hide the others. (It is no faster: the driver takes one at a time.)

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _nvml_calls
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import (
    NOT_SUPPORTED,
    OUTSIDE,
    is_unread,
    unread,
)

#: nvml.h: what a link number behind the last one gets.
INVALID_ARGUMENT = 2

#: NVML_NVLINK_MAX_LINKS of nvml.h 13, for a driver that never says that a link does not exist.
MAX_LINKS = 36

#: The leaves of ``system``.
SYSTEM_LEAVES = (
    "nvml_version",
    "driver_version",
    "cuda_version",
    "conf_compute.feature",
    "conf_compute.environment",
    "conf_compute.devtools",
    "conf_compute_ready",
)

#: valueType of a field value, nvml.h nvmlValueType_t -> member of the union. Signed ones read as unsigned are nonsense.
VALUE_MEMBERS = {0: "dVal", 1: "uiVal", 2: "ulVal", 3: "ullVal", 4: "sllVal", 5: "siVal", 6: "usVal"}


def main(pipe: int, validate_inforom: bool) -> None:
    """Read everything and send it to the pipe."""
    sender = Sender(pipe)
    try:
        import pynvml

        sender.value(("library",), version(pynvml.__file__))
        everything(pynvml, sender, validate_inforom)
    except ImportError as error:
        failed(sender, error, f"nvidia-ml-py cannot be imported by {sys.executable}: {error}")
    except Exception as error:  # a mistake of ours or of nvidia-ml-py must be seen
        failed(sender, error, str(error))
    sender.send("end")


def failed(sender: Sender, error: Exception, text: str) -> None:
    sender.value(("init",), {"code": OUTSIDE, "error": type(error).__name__, "text": text})


def version(file: str) -> str:
    """Return nvidia-ml-py's version from the metadata beside it: the module itself does not say it."""
    for name in os.listdir(os.path.dirname(file)):
        if name.startswith("nvidia_ml_py-") and name.endswith(".dist-info"):
            return name[len("nvidia_ml_py-") : -len(".dist-info")]
    return "unknown"


class Sender:
    """Sends messages as lines of JSON; several threads use it."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, *message: t.Any) -> None:
        line = json.dumps(message).encode() + b"\n"
        with self._lock:
            while line:
                line = line[os.write(self._pipe, line) :]

    def value(self, path: t.Sequence[t.Any], value: t.Any) -> None:
        self.send("value", path, value)


class Asker:
    """Asks NVML in one thread, and says before each call which one it is."""

    def __init__(self, nvml: t.Any, sender: Sender, path: t.Sequence[t.Any], about: str) -> None:
        self.nvml = nvml
        self.sender = sender
        self.path = tuple(path)
        self.about = about

    def ask(self, symbol: str, question: t.Callable[[], t.Any], detail: str = "") -> t.Any:
        """Return the answer, or the mark of why there is none."""
        self.sender.send("call", self.about, " ".join(one for one in (symbol, self.about, detail) if one))
        try:
            return question()
        except self.nvml.NVMLError as error:
            return unread(type(error).__name__, int(error.value))
        except (
            Exception
        ) as error:  # whatever an odd driver makes of nvidia-ml-py: this leaf is unread, the others count
            return unread(type(error).__name__)
        finally:
            self.sender.send("done", self.about)

    def put(self, leaf: str, value: t.Any) -> None:
        self.sender.value((*self.path, *leaf.split(".")), value)


def everything(nvml: t.Any, sender: Sender, validate_inforom: bool) -> None:
    """Read the system, then all GPUs and pairs."""
    system = Asker(nvml, sender, ("system",), "")
    failure = start(nvml, sender, system)
    # The library tells its own version also when it does not fit the kernel module: that is half of the remedy.
    system.put("nvml_version", system.ask("nvmlSystemGetNVMLVersion", nvml.nvmlSystemGetNVMLVersion))
    if failure:
        for leaf in SYSTEM_LEAVES[1:]:
            system.put(leaf, failure)
        return
    read_system(nvml, system)
    count = system.ask("nvmlDeviceGetCount_v2", nvml.nvmlDeviceGetCount)
    if is_unread(count):
        sender.value(("init",), {"code": count["code"], "error": count["unread"], "text": "nvmlDeviceGetCount failed"})
        return
    sender.send("count", count)
    handles: dict[int, t.Any] = {}
    threads = [
        threading.Thread(target=read_gpu, args=(nvml, sender, index, handles, validate_inforom), daemon=True)
        for index in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read_pairs(nvml, sender, handles, count)


def start(nvml: t.Any, sender: Sender, system: Asker) -> dict[str, t.Any] | None:
    """Initialise NVML and tell how it went; return the mark of its failure or None."""
    sender.send("call", "", "nvmlInit")
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        name, code = type(error).__name__, int(error.value)
        sender.value(("init",), {"code": code, "error": name, "text": str(error)})
        return unread(name, code)
    finally:
        sender.send("done", "")
    sender.value(("init",), {"code": 0, "error": "", "text": ""})
    return None


def read_system(nvml: t.Any, system: Asker) -> None:
    system.put("driver_version", system.ask("nvmlSystemGetDriverVersion", nvml.nvmlSystemGetDriverVersion))
    system.put("cuda_version", system.ask("nvmlSystemGetCudaDriverVersion_v2", nvml.nvmlSystemGetCudaDriverVersion_v2))
    state = system.ask("nvmlSystemGetConfComputeState", nvml.nvmlSystemGetConfComputeState)
    for leaf, member in (("feature", "ccFeature"), ("environment", "environment"), ("devtools", "devToolsMode")):
        system.put(f"conf_compute.{leaf}", state if is_unread(state) else getattr(state, member))
    ready = system.ask("nvmlSystemGetConfComputeGpusReadyState", nvml.nvmlSystemGetConfComputeGpusReadyState)
    system.put("conf_compute_ready", ready)


def read_gpu(nvml: t.Any, sender: Sender, index: int, handles: dict[int, t.Any], validate_inforom: bool) -> None:
    """Read one GPU. Without a handle every leaf gets the reason."""
    asker = Asker(nvml, sender, ("gpus", index), f"gpu {index}")
    handle = asker.ask("nvmlDeviceGetHandleByIndex_v2", lambda: nvml.nvmlDeviceGetHandleByIndex(index))
    lost = handle if is_unread(handle) else None
    asker.put("handle", lost or True)
    if not lost:
        handles[index] = handle
    for call in _nvml_calls.GPU_CALLS:
        put_call(asker, call, handle, lost)
    read_fields(asker, handle, lost)
    asker.put("nvlinks", lost or read_links(asker, handle))
    if validate_inforom:
        put_call(asker, _nvml_calls.INFOROM_CALL, handle, lost)


def put_call(asker: Asker, call: _nvml_calls.Call, handle: t.Any, lost: dict[str, t.Any] | None) -> None:
    answer = lost or asker.ask(call.symbol, lambda: call.read(asker.nvml, handle))
    if is_unread(answer) or len(call.leaves) == 1:
        answer = [answer] * len(call.leaves)
    for leaf, value in zip(call.leaves, answer):
        asker.put(leaf, value)


def read_fields(asker: Asker, handle: t.Any, lost: dict[str, t.Any] | None) -> None:
    wanted = [(number, 0) for number in _nvml_calls.FIELDS.values()]
    values = [lost] * len(wanted) if lost else ask_fields(asker, handle, wanted)
    for leaf, value in zip(_nvml_calls.FIELDS, values):
        asker.put(leaf, value)


def ask_fields(asker: Asker, handle: t.Any, wanted: t.Sequence[tuple[int, int]]) -> list[t.Any]:
    """Return the value of each (field id, scope), all asked in one call. Each has a return code of its own."""
    answers = asker.ask("nvmlDeviceGetFieldValues", lambda: asker.nvml.nvmlDeviceGetFieldValues(handle, wanted))
    if is_unread(answers):
        return [answers] * len(wanted)
    return [field_value(asker.nvml, answer) for answer in answers]


def field_value(nvml: t.Any, answer: t.Any) -> t.Any:
    if answer.nvmlReturn:
        error = nvml.NVMLError(answer.nvmlReturn)
        return unread(type(error).__name__, int(answer.nvmlReturn))
    member = VALUE_MEMBERS.get(answer.valueType)
    return getattr(answer.value, member) if member else unread(f"ValueType{answer.valueType}")


def read_links(asker: Asker, handle: t.Any) -> t.Any:
    """Return the list of NVLinks, or the mark that the card has none or does not answer for the first one."""
    nvml = asker.nvml
    states: list[t.Any] = []

    def ask(symbol: str, link: int) -> t.Any:
        return asker.ask(symbol, lambda: getattr(nvml, symbol)(handle, link), f"link {link}")

    for link in range(MAX_LINKS):
        state = ask("nvmlDeviceGetNvLinkState", link)
        if is_unread(state) and state["code"] == INVALID_ARGUMENT:
            break
        if is_unread(state) and link == 0:
            return state
        states.append(state)
    links: list[dict[str, t.Any]] = [{"link": link, "state": state, "errors": {}} for link, state in enumerate(states)]
    for one in links:
        one.update({leaf: ask(symbol, one["link"]) for leaf, symbol in _nvml_calls.LINK_CALLS})
    for table, optional in ((_nvml_calls.LINK_FIELDS, False), (_nvml_calls.LINK5_FIELDS, True)):
        wanted = [(number, one["link"]) for one in links for number in table.values()]
        values = iter(ask_fields(asker, handle, wanted) if wanted else [])
        for one, leaf in itertools.product(links, table):
            value = next(values)
            if not (optional and is_unread(value) and value["code"] in (NOT_SUPPORTED, INVALID_ARGUMENT)):
                put_link(one, leaf, value)
    return links


def put_link(link: dict[str, t.Any], leaf: str, value: t.Any) -> None:
    group, _dot, name = leaf.rpartition(".")
    (link[group] if group else link)[name] = value


def pairs(count: int) -> list[tuple[int, int]]:
    """Return the pairs of GPUs, each once."""
    return list(itertools.combinations(range(count), 2))


def read_pairs(nvml: t.Any, sender: Sender, handles: dict[int, t.Any], count: int) -> None:
    """Read whether the GPUs of each pair reach each other; a pair with a GPU without handle is left unread."""
    for position, (a, b) in enumerate(pairs(count)):
        asker = Asker(nvml, sender, ("pairs", position), f"gpu {a}")
        for leaf, index in _nvml_calls.PAIR_INDEXES.items():
            asker.put(leaf, read_pair(asker, handles, a, b, index))


def read_pair(asker: Asker, handles: dict[int, t.Any], a: int, b: int, index: int) -> t.Any:
    if a not in handles or b not in handles:
        return unread("NoHandle")
    return asker.ask(
        "nvmlDeviceGetP2PStatus",
        lambda: asker.nvml.nvmlDeviceGetP2PStatus(handles[a], handles[b], index),
        f"gpu {b}",
    )
