"""`python -m verideck`."""

from verideck.cli import main

if __name__ == "__main__":
    main()
