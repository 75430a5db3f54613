"""The moment that stamps what a build changes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping


def build_time(environment: Mapping[str, str] = os.environ) -> int:
    """Seconds since 1970: `SOURCE_DATE_EPOCH` if it is set (reproducible-builds.org), else now.

    What has not changed keeps the stamp that `cards.lock` remembers, so the same cards and lock
    give the same bytes at any moment. Raises ValueError if `SOURCE_DATE_EPOCH` is no number above
    0, or lies ahead of the clock: a learner's edits until then would be overwritten.
    """
    now = int(time.time())
    given = environment.get("SOURCE_DATE_EPOCH")
    if not given:
        return now
    if not 0 < int(given) <= now:
        raise ValueError(given)
    return int(given)
