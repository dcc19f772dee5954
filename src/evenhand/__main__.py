"""`python -m evenhand` is the command line."""

from evenhand.service.cli import main

if __name__ == "__main__":
    main()
