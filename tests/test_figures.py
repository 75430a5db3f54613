"""Figures are the same bytes wherever they are drawn, with every font that is there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from projects import SETTINGS, card, project

pytest.importorskip("matplotlib")

LINE = """\
import matplotlib.pyplot as plt
import numpy as np

x = np.arange(64)
y = 10.0 ** (-x / 16) * (1 + noise * (x % 3 - 1))
plt.semilogy(x, y)
plt.annotate("here", (x[40], y[40]))
assert abs(y[0] - 1) < 0.1
"""
CHINESE = (
    'import matplotlib.pyplot as plt\n\nplt.title("位置")\nassert plt.gca().get_title() == "位置"'
)


@pytest.mark.torch
def test_rounding_noise_is_not_drawn(tmp_path: Path) -> None:
    """Another processor comes to other last digits, and draws the same; other data is drawn."""
    drawn = []
    for noise in (0.0, 1e-15, -3e-8, 1e-2):
        code = LINE.replace("noise", repr(noise))
        (proven,) = project(tmp_path / repr(noise), {"a.md": card("a", code)}).proven()
        drawn += [figure for proof in proven.proofs for figure in proof.figures]
    assert drawn[0] == drawn[1] == drawn[2] != drawn[3]


@pytest.mark.torch
def test_a_font_that_has_just_been_installed_is_drawn_with(tmp_path: Path) -> None:
    """Matplotlib lists the fonts once and keeps the list; ours are looked up again."""
    subprocess.run(
        [sys.executable, "-c", "import matplotlib.font_manager"],
        check=True,
        env={**os.environ, "HOME": str(tmp_path / "home")},
    )
    (kept,) = (tmp_path / "home").rglob("fontlist-*.json")
    known = json.loads(kept.read_text(encoding="utf-8"))
    ours = [each for each in known["ttflist"] if "CJK" in each["name"]]
    if not ours:
        pytest.skip("no Chinese font is installed here")
    known["ttflist"] = [each for each in known["ttflist"] if each not in ours]
    kept.write_text(json.dumps(known), encoding="utf-8")
    made = project(tmp_path / "deck", {"a.md": card("a", CHINESE)}, SETTINGS)
    told = made.run("check", HOME=str(tmp_path / "home"))
    assert (told.returncode, "figure-glyph" in told.stderr) == (0, False), told.stderr
