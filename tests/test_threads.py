"""What several threads of the user's process do at once."""

from __future__ import annotations

import subprocess
import sys

KINDS = """
from verideck.proof.python.wire.messages import Message

class Part(Message, frozen=True):
    whole: "Whole | None" = None

class Whole(Message, frozen=True):
    parts: "tuple[Part, ...]" = ()
    named: "dict[str, Part]" = {}
"""

DECODING = """
import sys
from threading import Barrier, Thread
from types import ModuleType

from verideck.proof.python.wire.messages import Decoder

def decode(decoder, begun):
    begun.wait()
    decoder.from_text('{"parts": [{"whole": {"parts": []}}]}')

sys.setswitchinterval(1e-6)
for number in range(1500):
    module = ModuleType(f"kinds_{number}")
    sys.modules[module.__name__] = module
    exec(sys.argv[1], module.__dict__)
    decoder, begun = Decoder(module.Whole), Barrier(4)
    threads = [Thread(target=decode, args=(decoder, begun)) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
print("all decoded")
"""


def test_threads_may_be_the_first_to_decode_a_kind_of_message() -> None:
    """A build ended by a segmentation fault, once in hundreds: each card has a thread."""
    command = [sys.executable, "-c", DECODING, KINDS]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (run.returncode, run.stdout) == (0, "all decoded\n"), run.stderr
