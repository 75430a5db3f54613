"""What pytest is told."""

import os
import signal
import sys
import tempfile

import pytest
from hypothesis import settings

from verideck.storage.cache_key import VARIABLE

# What these modules assert is told as what a test asserts: with its values.
pytest.register_assert_rewrite("model", "projects", "push_world")

# How long one example takes says how busy the machine is. The inputs are the same on every run; for
# a night there is `pytest --hypothesis-profile=thorough`, which has others each time.
settings.register_profile("same", deadline=None, derandomize=True, max_examples=60)
settings.register_profile("thorough", deadline=None, derandomize=False, max_examples=2000)
settings.load_profile("same")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-spec`."""
    parser.addoption(
        "--update-spec",
        action="store_true",
        help="write what verideck does into the manual, tests/spec",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to let several workers write into the manual at once, and let Ctrl-C be sent."""
    if config.getoption("--update-spec") and config.getoption("numprocesses", default=None):
        raise pytest.UsageError("--update-spec writes files: leave out -n")
    # A shell that runs the tests in the background has them ignore Ctrl-C, and all that they start;
    # so has `nohup` a terminal that is closed.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    _call_as_nobody_in_particular(config)


def _call_as_nobody_in_particular(config: pytest.Config) -> None:
    """Leave out what whoever runs the tests says to verideck, in variables or in their own file.

    Their key for the cache stays: the deck that they have built is not proved again.
    """
    for name in [each for each in os.environ if each.startswith("VERIDECK_")]:
        if name != VARIABLE:
            del os.environ[name]
    nowhere = tempfile.TemporaryDirectory(prefix="verideck-tests-")
    config.add_cleanup(nowhere.cleanup)
    os.environ["XDG_CONFIG_HOME"] = nowhere.name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked `linux` on other systems."""
    if sys.platform == "linux":
        return
    for item in items:
        if mark := item.get_closest_marker("linux"):
            reason = mark.kwargs.get("reason", "needs Linux")
            item.add_marker(pytest.mark.skip(reason=reason))
