"""The `streamlib` command: `python -m streamlib doctor`."""

import sys

from streamlib import _streamlib


def main() -> int:
    return _streamlib.main(["streamlib", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
