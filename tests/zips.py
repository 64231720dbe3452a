"""Builders of zip files, good ones and bad ones, byte for byte what tools and attackers write."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from collections.abc import Iterable, Mapping

RELU = "import numpy as np\n\n\ndef relu(x):\n    return np.maximum(x, 0)\n"
CHAPTER = "ch03_activations.py"
LINK, PIPE, DEVICE = 0o120777, 0o010644, 0o020666  # kinds of files, as Unix writes them


def zipped(files: Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]], mode: int = 0) -> bytes:
    """A zip file of these members; of pairs, where two have one name."""
    target = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # zipfile's own, about two of one name
        for name, content in files.items() if isinstance(files, Mapping) else files:
            info = zipfile.ZipInfo(name)
            info.filename = info.orig_filename = name  # ZipInfo mends some names
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return target.getvalue()


def renamed(content: bytes, old: bytes, new: bytes) -> bytes:
    """The same zip file with other bytes for a name, which no longer say that they are UTF-8."""
    assert len(old) == len(new), "or every offset in the file is wrong"
    changed = bytearray(content.replace(old, new))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for place in _places(changed, mark):
            value = struct.unpack_from("<H", changed, place + flags)[0]
            struct.pack_into("<H", changed, place + flags, value & ~0x800)
    return bytes(changed)


def patched(content: bytes, local: int, central: int, pattern: str, value: int) -> bytes:
    """The same zip file with one field of every member changed, in both of its headers."""
    changed = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        for place in _places(changed, mark):
            struct.pack_into(pattern, changed, place + offset, value)
    return bytes(changed)


def encrypted(content: bytes) -> bytes:
    return patched(content, 6, 8, "<H", 1)


def compressed_as(content: bytes, method: int) -> bytes:
    return patched(content, 8, 10, "<H", method)


def declared(content: bytes, size: int) -> bytes:
    """One that lies about the size of its members."""
    return patched(content, 22, 24, "<I", size)


def _places(content: bytes, mark: bytes) -> list[int]:
    found, start = [], content.find(mark)
    while start >= 0:
        found.append(start)
        start = content.find(mark, start + 1)
    return found
