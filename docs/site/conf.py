"""How Sphinx makes the site: of the pages that `pages.py` has put together."""

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

import verideck

project = "verideck"
version = release = verideck.__version__
author = "the authors of verideck"
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["cards", "docs/example", "docs/site", "snippets", "verideck"]
root_doc = "index"

# Links to headings are those that GitHub makes. One that leads nowhere is a warning, of which
# `make site` makes an error.
myst_heading_anchors = 5
myst_enable_extensions = ["dollarmath"]
# A page for one language may show others; and fences hold our own words behind the language's.
suppress_warnings = ["misc.highlighting_failure"]

# Docstrings have Markdown's code: single backticks.
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_preserve_defaults = True

html_theme = "furo"
html_title = f"verideck {version}"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
smartquotes = False  # a quotation mark of a command is one
pygments_style = "friendly"
pygments_dark_style = "native"


def setup(app: Sphinx) -> None:
    """Show Markdown without colours: the manual has an example such that no lexer ends."""
    app.add_lexer("markdown", TextLexer)
