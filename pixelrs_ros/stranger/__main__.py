"""Write the stranger's test set: `python -m pixelrs_ros.stranger --out DIR --count N`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pixelrs_ros.stranger import write_stranger


def main() -> None:
    """Writes the set and says how many dialogues it has."""
    parser = argparse.ArgumentParser(prog="python -m pixelrs_ros.stranger", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="PRIST folder, made if missing")
    parser.add_argument("--count", type=int, default=320, metavar="N", help="pictures (default: 320)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of everything (default: 0)")
    options = parser.parse_args()
    print(f"{write_stranger(options.out, options.count, options.seed)} dialogues in {options.out}")


if __name__ == "__main__":
    main()
