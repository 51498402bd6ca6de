#!/usr/bin/env python3
"""generate.py -- writes text about the invented world: generate.py SEED CHARACTERS > FILE

The same seed gives the same bytes, everywhere. Documents are parted by one blank line; the text
ends with the first document that reaches the wanted number of characters.
"""

import argparse
import sys

from documents import KINDS
from world import Rng, World


def documents(seed, characters):
    """Yields documents until they hold this many characters with the blank lines."""
    world, rng = World(), Rng(seed)
    while characters > 0:
        text = rng.weighted(KINDS)(world, rng)
        assert "\n\n" not in text and not text.endswith("\n")
        characters -= len(text) + 2
        yield text


def text(seed, characters):
    return "\n\n".join(documents(seed, characters)) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seed", type=int)
    parser.add_argument("characters", type=int)
    args = parser.parse_args()
    sys.stdout.buffer.write(text(args.seed, args.characters).encode("utf-8"))


if __name__ == "__main__":
    main()
