"""Zip files from anybody: what is refused, in which words, and that nothing ever reaches the disk."""

from __future__ import annotations

import contextlib
import io
import os
import random
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zips import CHAPTER, DEVICE, LINK, PIPE, RELU, compressed_as, declared, encrypted, renamed, zipped

from grader.classroom import archive, handin, names
from grader.classroom.archive import Archive
from grader.problem import Problem
from grader.submission import MAX_FILE

GOOD = {CHAPTER: RELU}


def refused(content: bytes) -> str:
    """What is told of a student's zip file; it must be refused, in one line."""
    with pytest.raises(Problem) as caught:
        look(content)
    message = str(caught.value)
    assert caught.value.defect.endswith((".", ")"))
    assert message.isprintable(), "it goes to a terminal"
    assert len(message) < 400
    return message


def look(content: bytes) -> dict[str, bytes]:
    """All that can be read of a student's zip file."""
    opened = Archive(content, "ada.zip", archive.MAX_MEMBERS)
    archive.check(opened.members, opened.shown)
    return {member.name: opened.read(member, 1 << 20) for member in opened.members if not member.name.endswith("/")}


# --- names ------------------------------------------------------------------------------------------------------------

LEADS_OUT = [
    "../evil.py",
    "a/../../evil.py",
    "..",
    "/etc/evil.py",
    "//server/share/evil.py",
    "\\\\server\\share\\evil.py",
    "..\\evil.py",
    "C:\\evil.py",
    "c:evil.py",
    "\\evil.py",
    ".git/../../evil.py",
    "/",
]


@pytest.mark.parametrize("name", LEADS_OUT)
def test_a_name_that_leads_out_is_refused(name):
    assert "leads out of it" in refused(zipped({**GOOD, name: RELU}))


@pytest.mark.parametrize("name", ["\x1b[2Ja.py", "a\nb.py", "a\x00b.py", "a\u202eyp.py", "a\x7f.py", "\x9b31m.py"])
def test_a_name_that_a_terminal_would_obey_is_refused_and_shown_harmlessly(name):
    assert "control characters" in refused(zipped({**GOOD, name: RELU}))


@pytest.mark.parametrize("name", ["CON.py", "a/nul", "Aux.tar.gz", "COM1.py", "lpt9/x.py", "com¹.py", "CONIN$"])
def test_a_name_that_windows_keeps_for_itself_is_refused(name):
    assert "keeps for a device" in refused(zipped({**GOOD, name: RELU}))


@pytest.mark.parametrize("name", ["a//b.py", "a/./b.py", "b.py.", "b.py ", "a /b.py", "n" * 300 + ".py"])
def test_a_name_that_not_every_disk_can_hold_is_refused(name):
    assert "not every disk can hold" in refused(zipped({**GOOD, name: RELU}))


def test_a_name_longer_than_any_disks_is_refused_before_it_is_composed(monkeypatch):
    """Accents over accents are sorted one by one: 64 KB of them take a second."""
    composed, lengths = names.composed, []

    def watched(text: str) -> str:
        lengths.append(len(text))
        return composed(text)

    monkeypatch.setattr(names, "composed", watched)
    accents = "a" + "\u0301\u0316" * (archive.MAX_PATH // 4)
    assert "whose name is longer than 1024 bytes, 'á" in refused(zipped({**GOOD, accents: RELU}))
    assert max(lengths) <= archive.MAX_NAME + 100
    plain = b"x" * (archive.MAX_PATH + 1)
    assert "longer than 1024 bytes" in refused(renamed(zipped({plain.decode(): RELU}), plain, b"\xfc" * len(plain)))


def test_a_name_as_long_as_disks_allow_is_read():
    name = "/".join(["n" * 255] * 4)
    assert name in look(zipped({**GOOD, name: RELU}))


def test_a_module_that_is_too_large_is_told_what_to_do():
    opened = Archive(zipped({CHAPTER: "#" * (MAX_FILE + 1)}), "ada.zip")
    with pytest.raises(Problem, match=r"in ada\.zip is larger than 256 KB\. Hand in a file for each chapter"):
        opened.read(opened.members[0], MAX_FILE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.py", "a.py"),
        ("a.py", "A.py"),
        ("stra\u00dfe.py", "STRASSE.py"),
        ("\u00e9.py", "e\u0301.py"),
        ("a/b", "a\\b"),
    ],
)
def test_two_names_that_some_disk_takes_for_one_are_refused(one, other):
    """Else one reader shows the first and another runs the second."""
    assert "two members called" in refused(zipped([(one, "x = 1\n"), (other, "x = 2\n")]))


@pytest.mark.parametrize(
    "name", ["constant.py", "console/aux_loss.py", "null.py", "علی\u200cرضا.txt", "a b (1).txt", "..a/b"]
)
def test_ordinary_names_are_not_refused(name):
    assert name in look(zipped({**GOOD, name: RELU}))


@pytest.mark.parametrize("name", [f"exercises\\{CHAPTER}", f"./exercises/{CHAPTER}"])
def test_folders_written_as_some_tools_do_are_folders(name):
    assert list(look(zipped({name: RELU}))) == [f"exercises/{CHAPTER}"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ü_.txt".encode(), "ü_.txt"),  # macOS wrote UTF-8 for years without saying so
        ("ü__.txt".encode("cp437"), "ü__.txt"),  # as the format asks
        ("ü__.txt".encode("latin-1"), "ⁿ__.txt"),  # nothing tells it from the line above: it is read, if oddly
        ("u\u0308.txt".encode(), "ü.txt"),
    ],
)
def test_names_in_any_encoding_are_read(written, read):
    plain = b"x" * len(written)
    assert list(look(renamed(zipped({plain.decode(): RELU}), plain, written))) == [read]


# --- kinds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [LINK, PIPE, DEVICE])
def test_links_and_devices_are_refused(mode):
    assert "no ordinary file" in refused(zipped({CHAPTER: "/etc/passwd"}, mode))


def test_what_is_encrypted_is_refused():
    assert "is encrypted" in refused(encrypted(zipped(GOOD)))


@pytest.mark.parametrize("method", [1, 6, 9, 12, 14, 93, 98, 99])
def test_what_is_compressed_in_an_unusual_way_is_refused(method):
    assert "compressed in an unusual way" in refused(compressed_as(zipped(GOOD), method))


def test_clutter_is_passed_over_whatever_it_is():
    """A virtual environment is full of links."""
    target = io.BytesIO(zipped({".venv/bin/python": "/usr/bin/python3", "__MACOSX/._a": "", ".DS_Store": ""}, LINK))
    with zipfile.ZipFile(target, "a") as more:
        more.writestr(CHAPTER, RELU)
    assert look(target.getvalue())[CHAPTER] == RELU.encode()


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_a_bomb_is_refused_before_anything_is_unpacked():
    assert "would unpack to 32 MB from" in refused(zipped({**GOOD, "zeros.bin": bytes(32 << 20)}))


def test_one_that_only_declares_to_be_large_is_refused():
    assert "would unpack to" in refused(declared(zipped(GOOD), 0xFFFFFFF0))


def test_one_that_hides_its_size_is_read_no_further_than_declared():
    content = declared(zipped({CHAPTER: bytes(1 << 20)}), 100)
    opened = Archive(content, "ada.zip")
    with pytest.raises(Problem, match="is damaged"):
        opened.read(opened.members[0], 1 << 20)


def test_a_member_that_is_too_large_is_not_read():
    opened = Archive(zipped({CHAPTER: "#" * 2000}), "ada.zip")
    with pytest.raises(Problem, match="is larger than"):
        opened.read(opened.members[0], 1000)


def test_more_members_than_anyone_hands_in_are_refused():
    files = {f"{number}": "" for number in range(archive.MAX_MEMBERS + 1)}
    assert f"more than {archive.MAX_MEMBERS} members" in refused(zipped(files))


def test_a_zip_file_that_holds_itself_ends(tmp_path):
    """Zip files in zip files are not opened, so that none of them can go on without end."""
    content = zipped(GOOD)
    for _ in range(5):
        content = zipped({"inner.zip": content})
    path = tmp_path / "ada.zip"
    path.write_bytes(zipped({"ada.zip": content}))
    (found,) = handin.find([path])
    with pytest.raises(Problem, match="a zip file in a zip file"):
        found.read()


def test_members_that_share_their_bytes_multiply_nothing():
    """Overlapping members (Fifield, "A better zip bomb") declare what they unpack to, and that is added up."""
    content = zipped({f"{number}.bin": bytes(4 << 20) for number in range(8)})
    assert "would unpack to 32 MB from" in refused(content)


# --- damage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"Rar!\x1a\x07\x01\x00", b"\x1f\x8b\x08"])
def test_what_is_no_zip_file_is_told(content):
    if content[:4] == b"PK\x05\x06":
        assert look(content) == {}
    else:
        assert "is no zip file" in refused(content)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_damaged_bytes_end_in_a_problem_or_in_the_right_content(seed, count):
    """Whatever is changed: no other error, and a member that can be read is as it was written or has another name."""
    choose = random.Random(seed)
    content = bytearray(zipped({CHAPTER: RELU, "exercises/ch05_dense.py": "x = 1\n" * 50}))
    for _ in range(count):
        content[choose.randrange(len(content))] = choose.randrange(256)
    try:
        found = look(bytes(content[: choose.choice([len(content), choose.randrange(len(content))])]))
    except Problem:
        return
    assert set(found.values()) <= {RELU.encode(), b"x = 1\n" * 50, b""}


@pytest.mark.parametrize("name", [f"exercises/{CHAPTER}", "../evil.py"])
def test_nothing_is_written_to_the_disk(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "ada.zip").write_bytes(zipped({name: RELU}))
    (found,) = handin.find([tmp_path / "ada.zip"])
    with contextlib.suppress(Problem):
        found.read()
    assert os.listdir(tmp_path) == ["ada.zip"]


def test_an_archive_can_be_read_by_many_at_a_time():
    contents = {f"{number}.py": f"x = {number}\n" * 500 for number in range(50)}
    opened = Archive(zipped(contents), "class.zip")
    with ThreadPoolExecutor(8) as lanes:
        found = list(lanes.map(lambda member: opened.read(member, 1 << 20).decode(), opened.members * 4))
    assert found == list(contents.values()) * 4
