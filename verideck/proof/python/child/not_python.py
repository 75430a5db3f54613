"""What an author meant whose code is not Python: IPython's commands, prompts, a shell's lines.

To add one: a line in `_MEANT`, with what to write instead. The first that fits counts.
"""

from __future__ import annotations

import re

from verideck.proof.python.child.untouched import use_own_builtins

use_own_builtins(globals())

_IPYTHON = "{} is IPython's, not Python's: "
_MEANT = (
    (r">>>|In \[\d+\]:", "a session stands in a fence of its own, which begins with its prompt"),
    (
        r"(?P<what>%matplotlib)\b",
        _IPYTHON + "leave it out, an open figure comes along as it is",
    ),
    (
        r"[!%]?\s*(?:python[\d.]* -m |uv )?(?:pip3?|uv|conda|mamba|poetry|apt) (?:install|add)\b",
        "a card installs nothing: install it beside verideck, and leave this line out",
    ),
    (
        r"(?:[^=]*=\s*)?(?P<what>%%?(?:timeit|time|prun|memit|mprun|lprun))\b",
        _IPYTHON + "measure with time.perf_counter, or show it with {{.no-run reason=…}}",
    ),
    (
        r"(?P<what>%(?:load_ext|reload_ext|autoreload|config|colors|precision|pylab))\b",
        _IPYTHON + "leave it out, or call what it sets up",
    ),
    (r"(?P<what>%%capture)\b", _IPYTHON + "use contextlib.redirect_stdout"),
    (r"(?P<what>%%(?:writefile|file))\b", _IPYTHON + "use pathlib.Path(…).write_text"),
    (r"(?P<what>%run)\b", _IPYTHON + "import the module, or use runpy.run_path"),
    (r"(?P<what>%(?:cd|pwd|ls))\b", _IPYTHON + "use os.chdir, os.getcwd, os.listdir"),
    (r"(?P<what>%env|%set_env)\b", _IPYTHON + "use os.environ"),
    (
        r"(?P<what>%%(?:bash|sh|script|html|javascript|js|latex|markdown|svg|perl|ruby|cython))\b",
        _IPYTHON + "show it in a fence of its own language",
    ),
    (r"(?P<what>%%?\w+)", _IPYTHON + "leave it out, or show it with {{.no-run reason=…}}"),
    (r"[^=]*=\s*(?P<what>%\w+)", _IPYTHON + "call the function that it stands for"),
    (
        r"(?:[^=!<>]*=\s*)?(?P<what>!)(?!=)",
        _IPYTHON + "use subprocess.run, or show it in a ```bash",
    ),
    (r"\?{1,2}\s*(?P<what>[\w.]+)\s*$", "?{0} is IPython's, not Python's: write help({0})"),
    (r"(?P<what>[\w.]+)\?{1,2}\s*(?:#.*)?$", "{0}? is IPython's, not Python's: write help({0})"),
    (r"\$ \w", "a shell's lines stand in a ```console"),
)
_RULES = tuple((re.compile(rf"\s*(?:{pattern})"), hint) for pattern, hint in _MEANT)


def meant(line: str) -> str:
    """The hint for a line that is not Python; empty if nothing is known of it."""
    for pattern, hint in _RULES:
        if found := pattern.match(line):
            return hint.format(found.groupdict().get("what") or "")
    return ""
