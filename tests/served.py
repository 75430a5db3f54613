"""A preview that is served for tests, and a client that asks it as a browser would."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from projects import Project

_PATIENCE = 60.0
"""Seconds that anything may take on a busy machine."""
_QUESTIONS = 50
"""How often what belongs together is asked for, while the deck changes in between."""

Events = dict[str, Any]
"""The last event of each name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server sent."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode()


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is served."""

    process: subprocess.Popen[str]
    port: int
    token: str = ""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/"

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for a path, by these headers; `_` stands for `-` in their names."""
        return self._ask("GET", path, None, headers)

    def post(self, path: str, value: object, **headers: str) -> Answer:
        """Send JSON to a path."""
        return self.send(path, json.dumps(value).encode(), **headers)

    def send(self, path: str, content: bytes, **headers: str) -> Answer:
        """Send bytes to a path."""
        return self._ask("POST", path, content, headers)

    def line(self) -> str:
        """The next line that is printed."""
        assert self.process.stdout
        return self.process.stdout.readline()

    def events(self, is_enough: Callable[[Events], object]) -> Events:
        """Listen until it is enough; the last event of each name."""
        with self.listening(is_enough) as events:
            return events

    @contextmanager
    def listening(self, is_enough: Callable[[Events], object]) -> Iterator[Events]:
        """A stream that stays open, from which enough was heard."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        connection.request("GET", "/events")
        stream = connection.getresponse()
        assert stream.status == 200
        events: Events = {}
        name = ""
        try:
            while not is_enough(events):
                line = stream.readline().decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    events[name] = json.loads(line.removeprefix("data: "))
            yield events
        finally:
            connection.close()

    def rows(self) -> list[tuple[str, str]]:
        """The keys and hashes of all cards."""
        told = self.events(lambda events: "deck" in events)["deck"]["all"]
        return [(key, hash_) for key, hash_ in told]

    def entries(self) -> list[Mapping[str, Any]]:
        """The entries of all cards.

        Where a check has ended between the two questions, both are asked again: the server has the
        entries of the newest deck alone.
        """
        for _ in range(_QUESTIONS):
            hashes = [hash_ for _, hash_ in self.rows()]
            found = json.loads(self.post("/entries", hashes).text)
            if set(hashes) == {hash_ for hash_, _ in found}:
                break
        return [each for _, each in found]

    def entry(self, identity: str) -> Mapping[str, Any]:
        """The entry of the card with an id."""
        (found,) = (each for each in self.entries() if each["id"] == identity)
        return found

    def body(self, identity: str) -> Mapping[str, Any]:
        """The body of the card with an id."""
        for _ in range(_QUESTIONS):
            answer = self.get(f"/body/{self.entry(identity)['body']}")
            if answer.status == 200:
                break
        found = json.loads(answer.text)
        assert isinstance(found, dict)
        return found

    def _ask(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        try:
            connection.putrequest(method, path, skip_host=True)
            named = {"host": f"127.0.0.1:{self.port}", **headers}
            for name, value in named.items():
                connection.putheader(name, value)
            if content is not None:
                connection.putheader("content-length", str(len(content)))
            connection.endheaders(content)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()


@contextmanager
def served(made: Project, *words: str, port: int = 0, **environment: str) -> Iterator[Page]:
    """A preview of a project, which ends with the block."""
    process = made.start("preview", "--port", str(port), *words, **environment)
    try:
        assert process.stdout
        line = process.stdout.readline()
        found = re.match(r"http://[^/]*:(\d+)/(?:\?token=(\S+))?", line)
        assert found, (line, process.stderr and process.stderr.read())
        yield Page(process, int(found[1]), found[2] or "")
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
