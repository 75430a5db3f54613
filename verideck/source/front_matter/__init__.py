"""What a file says of itself at its top: its front matter."""

from verideck.source.front_matter.keys import KEYS, FrontMatter
from verideck.source.front_matter.split import split

__all__ = ["KEYS", "FrontMatter", "split"]
