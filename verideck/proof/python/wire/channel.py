"""Sends and receives messages through a socket: JSON, with its length in front."""

from __future__ import annotations

import socket
import struct
from typing import TypeVar

from verideck.proof.python.wire.messages import Decoder, Message, encoded

M = TypeVar("M")

_LENGTH = struct.Struct(">Q")
_LONGEST = 1_000_000_000
"""Bytes of a message: the longest report, escaped once more."""


def send(channel: socket.socket, message: Message) -> None:
    """Send a message whole. Raises OSError if the other side is gone."""
    content = encoded(message)
    channel.sendall(_LENGTH.pack(len(content)) + content)


def receive(channel: socket.socket, decoder: Decoder[M]) -> M | None:
    """The next message; None if the other side is gone, or sends what is no such message."""
    try:
        length = _exactly(channel, _LENGTH.size)
        size = int.from_bytes(length or b"", "big")
        content = _exactly(channel, size) if length and size <= _LONGEST else None
        return None if content is None else decoder.from_text(content)
    except (OSError, ValueError):
        return None


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    pieces = []
    while size:
        piece = channel.recv(min(size, 1 << 20))
        if not piece:
            return None
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
