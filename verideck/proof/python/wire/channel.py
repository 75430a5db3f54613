"""How the verifier, its warm parent and the workers talk: JSON, with its length in front."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

Message = dict[str, Any]

_LENGTH = struct.Struct(">Q")


def send(channel: socket.socket, message: Message) -> None:
    """Send a message whole. Raises OSError where nobody listens any more."""
    content = json.dumps(message).encode()
    channel.sendall(_LENGTH.pack(len(content)) + content)


def receive(channel: socket.socket) -> Message | None:
    """The next message; None when the other side is gone."""
    try:
        length = _exactly(channel, _LENGTH.size)
        content = _exactly(channel, *_LENGTH.unpack(length)) if length else None
    except OSError:
        return None
    if content is None:
        return None
    message: Message = json.loads(content)
    return message


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    pieces = []
    while size:
        piece = channel.recv(min(size, 1 << 20))
        if not piece:
            return None
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
