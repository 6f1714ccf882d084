"""`python -m gridtide` is the same as `gridtide`."""

import sys

from gridtide.cli import main

if __name__ == "__main__":
    sys.exit(main())
