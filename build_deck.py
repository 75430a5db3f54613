"""Build the deck: the same as `verideck build`."""

import sys

from verideck.cli.commands import main

if __name__ == "__main__":
    main(["build", *sys.argv[1:]])
