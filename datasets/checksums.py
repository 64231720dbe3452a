"""SHA-256 sums, alone and in lists, in the form that `sha256sum` writes and `sha256sum -c` checks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

LIST = "SHA256SUMS"  # what the list is called in a folder of its own


def checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def listing(contents: Mapping[str, bytes]) -> str:
    """One line per name, in the order of the names."""
    return "".join(f"{checksum(contents[name])}  {name}\n" for name in sorted(contents))


def parse(text: str) -> dict[str, str]:
    """The checksum of each name in a list; a line that is none is left out, so that its name is missed."""
    pairs = (line.split(maxsplit=1) for line in text.splitlines())
    return {pair[1].lstrip("*"): pair[0] for pair in pairs if len(pair) == 2}
