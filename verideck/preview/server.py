"""The server: answers a browser from what is live. It reads nothing of the project's by itself."""

from __future__ import annotations

import asyncio
import hashlib
import json
import mimetypes
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from verideck.model import Place
from verideck.preview.doorkeeper import Asked, Doorkeeper
from verideck.preview.live import Live, Run, patch
from verideck.result import Result

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""For the page: what the server itself sends, and nothing else."""
_FRAME_POLICY = (
    "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; "
    "media-src 'self'; font-src 'self'; base-uri 'self'; form-action 'none'; "
    "frame-ancestors 'self'"
)
"""For the document into which the page puts a card: no script ever, but a card's own styles."""
_WORKER_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
"""For the worker that windows share: it hears what the server tells, by scripts of the page."""
_INERT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""For what is data: a picture that is opened by itself executes nothing, either."""
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_FOR_EVER = "private, max-age=31536000, immutable"
"""For what is named by the hash of its content."""
_NEVER = "no-store"
_PAUSE = 0.04
"""Seconds in which what changes is told together."""
_ALIVE = 15.0
"""Seconds after which a stream says that it is still there."""
_MOST = 20_000
"""Entries that are asked for at once."""

Open = Callable[[Place], str]
"""Opens a place in the author's editor; returns what went wrong."""

Work = Callable[[Result], Mapping[str, object]]
Act = Callable[[object], Work]
"""Returns what is to be done for what the page has sent, which raises ValueError where it is wrong.
The work returns JSON for the page."""


@dataclass(frozen=True, slots=True)
class Powers:
    """What the page may have done."""

    editor: str = ""
    """The pattern of a link that opens a place in an editor."""
    open_at: Open | None = None
    """Opens a place, where there is no such link."""
    acts: Mapping[str, Act] = field(default_factory=dict)
    """By the paths at which the page asks for them; none that the caller did not ask for."""
    ask: Callable[[Work], Future[Mapping[str, object]]] | None = None
    """Has a work done in the thread of the project."""


class Server:
    """The routes of the page."""

    def __init__(self, live: Live, door: Doorkeeper, powers: Powers) -> None:
        """Show what is live."""
        self._live = live
        self._door = door
        self._powers = powers
        self._changed: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def app(self) -> ASGIApp:
        """The application, for an ASGI server."""
        routes = [
            Route("/", self._page),
            Route("/frame", self._frame),
            Route("/card.css", self._card_css),
            Route("/events", self._events),
            Route("/entries", self._entries, methods=["POST"]),
            Route("/body/{hash}", self._body),
            Route("/media/{name}", self._media),
            Route("/edit", self._edit, methods=["POST"]),
            Route("/static/{version}/{path:path}", self._static),
            *(Route(f"/{name}", self._act, methods=["POST"]) for name in self._powers.acts),
        ]
        return Starlette(routes=routes, middleware=[Middleware(_Guard, door=self._door)])

    def wake(self) -> None:
        """Tell all streams that something changed. May be called by any thread."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._set)

    def _set(self) -> None:
        for each in self._changed:
            each.set()

    async def _page(self, request: Request) -> Response:
        page = _asset("index.html").decode().replace("{version}", version())
        headers = {"content-security-policy": _PAGE_POLICY, "cache-control": _NEVER}
        response = Response(page, media_type="text/html", headers=headers)
        if self._door.admits(request.query_params.get("token", "")):
            response.set_cookie(
                self._door.cookie, self._door.token, httponly=True, samesite="strict"
            )
        return response

    async def _frame(self, _: Request) -> Response:
        headers = {"content-security-policy": _FRAME_POLICY, "cache-control": _NEVER}
        return Response(_asset("frame.html"), media_type="text/html", headers=headers)

    async def _card_css(self, _: Request) -> Response:
        return _inert(self._live.now.deck.css.encode(), "text/css", _NEVER)

    async def _static(self, request: Request) -> Response:
        """A file of the page; its address has the version, so that it is never asked for twice."""
        path = request.path_params["path"]
        if path not in _assets() or request.path_params["version"] != version():
            return _missing()
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        kind = _KINDS.get(path.rpartition(".")[2], kind)
        response = _inert(_asset(path), kind, _FOR_EVER)
        if path == _WORKER:
            response.headers["content-security-policy"] = _WORKER_POLICY
        return response

    async def _entries(self, request: Request) -> Response:
        """The entries of the hashes that are asked for, a JSON object on each line."""
        try:
            asked = json.loads(await request.body())
        except (ValueError, RecursionError):
            return _wrong("that is no JSON")
        if not isinstance(asked, list) or len(asked) > _MOST:
            return _wrong("that is no list of hashes")
        known = self._live.now.deck.by_hash
        found = [known[each] for each in asked if isinstance(each, str) and each in known]
        lines = b",".join(b'["%s",%s]' % (each.hash.encode(), each.entry) for each in found)
        return _inert(b"[%s]" % lines, "application/json", _NEVER)

    async def _body(self, request: Request) -> Response:
        shown = self._live.now.deck.bodies.get(request.path_params["hash"])
        return _inert(shown.body, "application/json", _FOR_EVER) if shown else _missing()

    async def _media(self, request: Request) -> Response:
        name = request.path_params["name"]
        content = self._live.now.deck.media.get(name)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return _missing() if content is None else _inert(content, kind, _FOR_EVER)

    async def _edit(self, request: Request) -> Response:
        """Open a place of a card or of a problem, and of nothing else."""
        try:
            asked = json.loads(await request.body())
            place = Place(str(asked["path"]), int(asked["line"]), int(asked["column"]))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return _wrong("that is no place")
        open_at = self._powers.open_at
        if open_at is None or place.path not in self._live.now.deck.places:
            return _wrong("that is not open to be edited")
        failed = await asyncio.to_thread(open_at, place)
        return _wrong(failed) if failed else Response(status_code=204)

    async def _act(self, request: Request) -> Response:
        """Do what the caller has offered, in the thread of the project, and tell what it came to.

        Only a browser sends an `Origin`, which the door keeper has compared.
        """
        if "origin" not in request.headers:
            return PlainTextResponse("the page alone may ask", 403, {"cache-control": _NEVER})
        assert self._powers.ask
        try:
            work = self._powers.acts[request.url.path.removeprefix("/")](await _json(request))
        except (ValueError, RecursionError) as error:
            return _wrong(str(error))
        answer = await asyncio.wrap_future(self._powers.ask(work))
        return _inert(json.dumps(answer).encode(), "application/json", _NEVER)

    async def _events(self, request: Request) -> Response:
        """What changes, as it changes. A browser that comes back is told what it missed."""
        since = request.headers.get("last-event-id") or request.query_params.get("since", "")
        headers = {"cache-control": _NEVER, "x-accel-buffering": "no"}
        stream = self._stream(since)
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    async def _stream(self, since: str) -> AsyncIterator[str]:
        self._loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        self._changed.add(changed)
        try:
            yield f"retry: 500\n{_event('hello', self._hello())}"
            deck, revision = self._live.former(since), -1
            run: Run | None = None
            while not self._live.is_closed:
                changed.clear()
                now = self._live.now
                if now.run != run:
                    run = now.run
                    yield _event("run", _run(run))
                if now.revision not in {0, revision}:
                    yield _event("deck", patch(deck, now.deck), self._live.identity(now))
                    deck, revision = now.deck, now.revision
                try:
                    await asyncio.wait_for(changed.wait(), _ALIVE)
                    await asyncio.sleep(_PAUSE)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._changed.discard(changed)

    def _hello(self) -> Mapping[str, object]:
        return {
            "instance": self._live.instance,
            "version": version(),
            "editor": self._powers.editor,
            "edits": bool(self._powers.open_at),
            "acts": sorted(self._powers.acts),
        }


_WORKER = "windows.js"
"""The file of the page that is a worker's program."""
_KINDS = {"js": "text/javascript", "css": "text/css", "woff": "font/woff"}
"""Not left to the system's own table, which may say otherwise."""


def _run(run: Run) -> Mapping[str, object]:
    return {
        "doing": run.doing,
        "running": list(run.running),
        "done": run.done,
        "total": run.total,
    }


def _event(name: str, data: Mapping[str, object], identity: str = "") -> str:
    named = f"id: {identity}\n" if identity else ""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return f"{named}event: {name}\ndata: {text}\n\n"


def _inert(content: bytes, kind: str, cached: str) -> Response:
    headers = {"content-security-policy": _INERT_POLICY, "cache-control": cached}
    return Response(content, media_type=kind, headers=headers)


_LONGEST = 10_000
"""Bytes of what the page asks to be done."""


async def _json(request: Request) -> object:
    """What the page has sent. Raises ValueError for what is too long, or no JSON."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST:
            raise ValueError("that is too long")
    return json.loads(body)


def _missing() -> Response:
    return PlainTextResponse("there is no such thing", 404, {"cache-control": _NEVER})


def _wrong(why: str) -> Response:
    return PlainTextResponse(why, 400, {"cache-control": _NEVER})


class _Guard:
    """Refuses what the door keeper refuses, and sends the headers that every answer has."""

    def __init__(self, app: ASGIApp, door: Doorkeeper) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope)
        token = request.query_params.get("token", "")
        asked = Asked(request.url.path, token, dict(request.headers))

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if self._door.is_local:  # browsers complain of it where there is no encryption
                    headers["cross-origin-opener-policy"] = "same-origin"
                headers.setdefault("content-security-policy", _INERT_POLICY)
            await send(message)

        if refusal := self._door.refusal(asked):
            response: ASGIApp = PlainTextResponse(refusal, 403, {"cache-control": _NEVER})
            await response(scope, receive, sent)
        else:
            await self._app(scope, receive, sent)


@cache
def _assets() -> Mapping[str, bytes]:
    """The files of the page by their paths, read once."""
    found: dict[str, bytes] = {}
    waiting = [(files("verideck.preview") / "static", "")]
    while waiting:
        folder, name = waiting.pop()
        for each in folder.iterdir():
            path = f"{name}{each.name}"
            if each.is_dir():
                waiting.append((each, f"{path}/"))
            else:
                found[path] = each.read_bytes()
    return found


def _asset(path: str) -> bytes:
    return _assets()[path]


@cache
def version() -> str:
    """The hash of all files of the page: another page is another address."""
    every = hashlib.blake2b(digest_size=8)
    for path, content in sorted(_assets().items()):
        every.update(f"{path} {len(content)} ".encode())
        every.update(content)
    return every.hexdigest()
