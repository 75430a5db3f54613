"""`python -m verideck`."""

from verideck.cli.commands import main

if __name__ == "__main__":
    main()
