# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ranks on several nodes that start and end together: what their supervisors tell each other.

Every supervisor of a group answers each connection to its port with one line of JSON, {group, rank, round, phase, why,
needs}, the last one the seconds that its start may take, by its own disk and kernels:
  down       no container runs; it can begin
  up         a container was started in this round
  ready      the group gives tokens (only rank 0 says so)
  given_up   too many failures; nobody shall go on
Rank 0 leads. It begins a round when all others are down, and the others follow into it. A rank that leaves the round, is
silent for too long, or never comes, ends the round for all: every container is stopped, and rank 0 begins another one.
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
import time
import typing as t
import uuid

from rank_probes import RankFailedError

#: A supervisor answers from memory; what takes longer is a lost packet.
ASK_TIMEOUT_SECONDS = 3.0

#: How long a neighbour may be silent, and how long it may take to follow into a round, before the round ends.
SILENCE_SECONDS = 20.0
JOIN_SECONDS = 60.0

#: How long a supervisor that gives up still says so, for all to hear.
LAST_WORD_SECONDS = 15.0


class RoundEndedError(RankFailedError):
    """Another rank ended the round; its supervisor has counted the failure."""


class GroupGivenUpError(Exception):
    """Another rank has given up, so this one does too."""


class Group:
    """One rank's view of its group. ``spec``: {name, rank, address, port, peers: [{rank, address}]}, peers all others."""

    def __init__(self, spec: dict[str, t.Any]) -> None:
        self.spec = spec
        self.leads = spec["rank"] == 0
        self.round = ""
        self._state = {
            "group": spec["name"],
            "rank": spec["rank"],
            "round": "",
            "phase": "down",
            "why": "",
            "needs": 0.0,
        }
        self._needs: dict[int, float] = {}
        self._joined: set[int] = set()
        self._heard: dict[int, float] = {}
        self._begun = 0.0
        # A follower watches its leader only; the leader tells it of all others by ending the round.
        self._watched = [one for one in spec["peers"] if self.leads or one["rank"] == 0]

    def serve(self) -> None:
        """Answer the other supervisors from now on, in a thread. Raises OSError when the port is taken."""
        state = self._state

        class Answer(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    self.request.sendall(json.dumps(state).encode() + b"\n")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        server = Server((self.spec["address"], self.spec["port"]), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def tell(self, phase: str, why: str = "") -> None:
        """Say from now on that this rank is in that phase of its round."""
        self._state.update(round=self.round, phase=phase, why=why[:500])

    def needs(self, seconds: float) -> None:
        """Say from now on how long a start of this rank may take."""
        self._state.update(needs=seconds)

    def longest(self) -> tuple[float, int]:
        """Return (the seconds, whose) of the neighbour that needs most in this round; zero while none has said so."""
        return max(((seconds, rank) for rank, seconds in self._needs.items()), default=(0.0, 0))

    def lacks(self) -> str:
        """Return what is missing before this rank may begin a round; empty when it has begun.

        Raises GroupGivenUpError when nobody shall begin any more.
        """
        said = []
        for peer in self._watched:
            try:
                said.append(self._ask(peer))
            except RankFailedError as why:
                return str(why)
        if self.leads:
            running = [one for one in said if one["phase"] != "down"]
            if running:
                return f"rank {running[0]['rank']} has not stopped yet"
            self.round = uuid.uuid4().hex
        else:
            if said[0]["phase"] == "down" or said[0]["round"] == self.round:
                why = said[0]["why"] if said[0]["phase"] == "down" else ""
                return "rank 0 has not begun yet" + (f": {why}" if why else "")
            self.round = said[0]["round"]
        self._joined, self._heard, self._needs, self._begun = set(), {}, {}, time.monotonic()
        self.tell("up")
        return ""

    def check(self) -> None:
        """Raise RankFailedError when the round is over for this rank."""
        now = time.monotonic()
        for peer in self._watched:
            try:
                said = self._ask(peer)
            except RankFailedError as why:
                if now - self._heard.get(peer["rank"], self._begun) > SILENCE_SECONDS:
                    raise RankFailedError(f"{why} for {SILENCE_SECONDS:g} s") from why
                continue
            self._heard[peer["rank"]] = now
            if said["round"] == self.round and said["phase"] != "down":
                self._joined.add(peer["rank"])
                self._needs[peer["rank"]] = float(said["needs"])
            elif not self.leads:
                raise RoundEndedError(f"rank 0 began anew: {said['why'] or 'it was restarted'}")
            elif peer["rank"] in self._joined or said["round"] == self.round:
                raise RankFailedError(f"rank {peer['rank']} at {peer['address']}: {said['why'] or 'was restarted'}")
            elif now - self._begun > JOIN_SECONDS:
                raise RankFailedError(f"rank {peer['rank']} at {peer['address']} did not follow in {JOIN_SECONDS:g} s")

    def not_ready(self) -> str:
        """Return why a follower's group does not give tokens yet; empty when it does, and for rank 0, which decides it."""
        if self.leads:
            return ""
        return "" if self._ask(self._watched[0])["phase"] == "ready" else "rank 0 is not ready yet"

    def _ask(self, peer: dict[str, t.Any]) -> dict[str, t.Any]:
        where = f"the supervisor of rank {peer['rank']} at {peer['address']}:{self.spec['port']}"
        try:
            with socket.create_connection((peer["address"], self.spec["port"]), ASK_TIMEOUT_SECONDS) as channel:
                channel.settimeout(ASK_TIMEOUT_SECONDS)
                said: dict[str, t.Any] = json.loads(channel.makefile("rb").readline(10_000))
        except (OSError, ValueError) as error:
            raise RankFailedError(f"{where} does not answer: {error}") from error
        ours = {"group": self.spec["name"], "rank": peer["rank"]}
        alike = isinstance(said, dict) and set(said) == set(self._state) and {**said, **ours} == said
        if not alike or not isinstance(said["needs"], (int, float)):
            raise RankFailedError(f"{where} is another one: {said}")
        if said["phase"] == "given_up":
            raise GroupGivenUpError(f"rank {peer['rank']} at {peer['address']} has given up: {said['why']}")
        return said
