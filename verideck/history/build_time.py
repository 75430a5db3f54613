"""The time that a build stamps its changes with."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping


def build_time(environment: Mapping[str, str] = os.environ) -> int:
    """Return Unix seconds: `SOURCE_DATE_EPOCH` if it is set (reproducible-builds.org), else now.

    Unchanged notes keep the stamp in `cards.lock`, so the same cards and lock give the same bytes
    at any time. Raises ValueError if `SOURCE_DATE_EPOCH` is not a whole number above 0, or is in
    the future: an import would overwrite a learner's edits until that time.
    """
    now = int(time.time())
    given = environment.get("SOURCE_DATE_EPOCH")
    if not given:
        return now
    if not 0 < int(given) <= now:
        raise ValueError(given)
    return int(given)
