"""Frames between host and guest: everything that may travel arrives, and a hostile frame does no harm."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from grader.worker.guest import wire

DTYPES = [np.dtype(name) for name in sorted(wire.DTYPES)]
arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: arrays_of.arrays(dtype, arrays_of.array_shapes(min_dims=0, min_side=0, max_side=4))
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63) + 1, 2**63 - 1), st.floats(), st.text(st.characters(codec="utf-8"))
)
# A numpy.float64 is a Python float too, and arrives as that: the same number.
numpy_scalars = st.sampled_from([dtype for dtype in DTYPES if dtype != np.float64]).flatmap(
    lambda dtype: arrays_of.from_dtype(dtype)
)
values = st.recursive(
    st.one_of(scalars, numpy_scalars, arrays),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=3),
    ),
    max_leaves=8,
)


def reader(data: bytes):
    """`read(size)` over these bytes, as `unpack` wants it."""
    position = 0

    def read(size: int) -> bytes:
        nonlocal position
        piece = data[position : position + size]
        if len(piece) < size:
            raise EOFError
        position += size
        return piece

    return read


def frame(header: object, body: bytes = b"") -> bytes:
    """A frame as a hostile guest may write it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text + body


def array_frame(dtype: object, shape: object, body: bytes = b"") -> bytes:
    return frame({"value": {"array": dtype, "shape": shape}}, body)


def same(one: object, other: object) -> bool:
    if isinstance(one, (np.ndarray, np.generic)):
        equal = type(one) is type(other) and one.dtype == other.dtype and one.shape == other.shape
        return equal and one.tobytes() == other.tobytes()
    if isinstance(one, (tuple, list)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and (one == other or (one != one and other != other))


@settings(deadline=None, max_examples=300)
@given(values)
def test_what_is_sent_arrives_bit_by_bit(value):
    header, arrived = wire.unpack(reader(b"".join(bytes(piece) for piece in wire.pack({"do": "call"}, value))))
    assert header == {"do": "call"}
    assert same(value, arrived)


@pytest.mark.parametrize(
    "array",
    [np.arange(12.0).reshape(3, 4)[:, ::2], np.arange(6).reshape(2, 3).T, np.arange(3, dtype=">i4"), np.array(5.0)],
    ids=["strided", "transposed", "big-endian", "no dimensions"],
)
def test_memory_layout_does_not_matter(array):
    _, arrived = wire.unpack(reader(b"".join(bytes(piece) for piece in wire.pack({}, array))))
    assert arrived.shape == array.shape
    np.testing.assert_array_equal(arrived, array)


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = (value,)
    return value


def endless() -> object:
    loop: list[object] = []
    loop.append(loop)
    return loop


UNSENDABLE = {
    "an object array": np.array([object()]),
    "a text array": np.array(["a"]),
    "a complex array": np.ones(2, complex),
    "a date": np.array(["2020-01-01"], "datetime64[D]"),
    "a record": np.zeros(2, [("a", "f4")]),
    "a generator": (i for i in range(3)),
    "a set": {1, 2},
    "a function": len,
    "bytes": b"raw",
    "other keys than text": {1: 2},
    "something too deep": nested(wire.MAX_DEPTH + 2),
    "a list within itself": endless(),
    "too large an array": np.broadcast_to(np.float64(0), (wire.MAX_BYTES // 8 + 1,)),
}


@pytest.mark.parametrize("value", UNSENDABLE.values(), ids=UNSENDABLE.keys())
def test_what_may_not_travel_is_refused_by_the_sender(value):
    with pytest.raises(wire.Unsendable):
        wire.pack({}, value)


HOSTILE = {
    "a huge header": struct.pack("<I", 2**32 - 1),
    "junk for JSON": frame(b"\xff\x00{{{"),
    "JSON that is no record": frame([1, 2]),
    "JSON nested without end": frame(b"[" * 200_000),
    "a number of a million digits": frame(b'{"value":{"plain":' + b"9" * 1_000_000 + b"}}"),
    "no value": frame({}),
    "a value that is no record": frame({"value": [1]}),
    "a value of no kind": frame({"value": {"pickle": "gASV"}}),
    "a float that is none": frame({"value": {"float": "0x1p99999999"}}),
    "a float of words": frame({"value": {"float": "import os"}}),
    "an integer beyond int64": frame({"value": {"plain": 2**63}}),
    "an object array": array_frame("|O", [1], b"\0" * 8),
    "a text array": array_frame("<U4", [1], b"\0" * 16),
    "a structured array": array_frame("f4,f4", [1], b"\0" * 8),
    "a big-endian array": array_frame(">f8", [1], b"\0" * 8),
    "a dtype that is no text": array_frame(["<f8"], [1], b"\0" * 8),
    "a negative extent": array_frame("<f4", [-1]),
    "two negative extents": array_frame("<f4", [-2, -2], b"\0" * 16),
    "an extent that overflows": array_frame("<f8", [2**62, 4]),
    "extents whose product overflows": array_frame("<f8", [2**32, 2**32, 2**32]),
    "an endless extent": array_frame("<f8", [10**30]),
    "a truth value for an extent": array_frame("<f8", [True], b"\0" * 8),
    "a fraction for an extent": array_frame("<f8", [1.0], b"\0" * 8),
    "too many dimensions": array_frame("<f8", [1] * 100, b"\0" * 8),
    "a shape that is no list": array_frame("<f8", 1, b"\0" * 8),
    "more bytes than any answer needs": array_frame("|u1", [wire.MAX_BYTES + 1]),
    "too many parts": frame({"value": {"list": [{"plain": None}] * (wire.MAX_ITEMS + 1)}}),
    "a sum of many large arrays": frame({"value": {"list": [{"array": "|u1", "shape": [2**27]}] * 4}}, b"\0" * 2**28),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_frame_is_refused(data):
    with pytest.raises(wire.WireError):
        wire.unpack(reader(data))


def test_a_value_nested_too_deeply_is_refused():
    code: object = {"plain": 1}
    for _ in range(wire.MAX_DEPTH + 1):
        code = {"tuple": [code]}
    with pytest.raises(wire.WireError):
        wire.unpack(reader(frame({"value": code})))


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200), st.booleans())
def test_noise_is_refused_or_short(noise, framed):
    with pytest.raises((wire.WireError, EOFError)):
        wire.unpack(reader(frame(noise) if framed else noise))


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["plain", "float", "array", "shape", "scalar", "tuple", "list", "dict"]), inner, max_size=3
        ),
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=300)
@given(json_values)
def test_a_forged_header_gives_plain_values_or_an_error(code):
    try:
        _, value = wire.unpack(reader(frame({"value": code}, b"\0" * 4096)))
    except (wire.WireError, EOFError):
        return
    assert value is None or isinstance(value, (bool, int, float, str, tuple, list, dict, np.ndarray, np.generic))


@pytest.mark.parametrize("cut", [2, 10, -1], ids=["in the length", "in the header", "in the array"])
def test_a_truncated_frame_is_the_peers_end(cut):
    data = b"".join(bytes(piece) for piece in wire.pack({}, np.arange(100)))
    here, there = socket.socketpair()
    with here, there:
        there.sendall(data[:cut])
        there.close()
        with pytest.raises(EOFError):
            wire.receive(here, time.monotonic() + 5)


def test_memory_is_not_asked_for_before_it_is_checked():
    def read(size: int) -> bytes:
        assert size <= wire.MAX_HEADER, "asked for the bytes of an array that is too large"
        return data(size)

    data = reader(array_frame("<f8", [2**39]))
    with pytest.raises(wire.WireError):
        wire.unpack(read)


def test_a_dripping_peer_cannot_stretch_the_deadline():
    data = b"".join(bytes(piece) for piece in wire.pack({}, np.arange(1000)))
    here, there = socket.socketpair()
    ended = threading.Event()

    def drip() -> None:
        for byte in data:  # every byte comes well before a timeout per byte would end
            if ended.wait(0.01):
                return
            there.send(bytes([byte]))

    with here, there:
        peer = threading.Thread(target=drip)
        peer.start()
        try:
            with pytest.raises(TimeoutError):
                wire.receive(here, time.monotonic() + 0.3)
        finally:
            ended.set()
            peer.join()


def test_a_deadline_that_has_passed_is_not_waited_for():
    here, there = socket.socketpair()
    with here, there, pytest.raises(TimeoutError):
        wire.receive(here, time.monotonic() - 1)
