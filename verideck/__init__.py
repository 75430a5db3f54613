"""Markdown questions and answers become an Anki deck, and every snippet is proved first."""

TYPE_CHECKING = False  # typing's own would have to be imported, which `--version` need not wait for
if TYPE_CHECKING:
    from verideck.model import Place
    from verideck.problems import Problem, Severity
    from verideck.project import Project
    from verideck.result import Result

__all__ = ["Place", "Problem", "Project", "Result", "Severity", "__version__"]
__version__ = "0.1.0"

_HOMES = {
    "Place": "model",
    "Problem": "problems",
    "Project": "project",
    "Result": "result",
    "Severity": "problems",
}


def __getattr__(name: str) -> object:
    """Import what is asked for: the processes that execute cards ask for none of it."""
    if name in _HOMES:
        from importlib import import_module  # noqa: PLC0415 - see TYPE_CHECKING

        return getattr(import_module(f"verideck.{_HOMES[name]}"), name)
    raise AttributeError(name)
