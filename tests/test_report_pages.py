"""The pages of a class and of a student, as text and in a real browser.

What they must never do is run what a student wrote; what they must always do is be readable: on a phone, on paper, in
the dark, without colours, without a script.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, Browser, browser
from classroom import HIDDEN, HOSTILE, classroom, hostile, record

from grader import catalogue
from grader.classroom.likeness import Pair
from grader.reports import overview, page
from grader.reports.lectures import lecture_of
from grader.result import COMPILED, ERROR, FAILED, PASSED, CaseResult, ExerciseResult, Record

CONTRAST = 4.5  # WCAG 2, AA, of text


def built(folder: Path) -> Path:
    """A class of 40 with a hostile student and similar submissions, and the pages of some of its students."""
    records = [*classroom(), hostile(list(catalogue.exercises().values()))]
    pairs = [Pair("hostile", "s0001", 0.93, tuple(catalogue.exercises())[:9]), Pair("gone<b>", "s0002", 0.7, ())]
    links = {one.submission: f"students/{one.submission}.html" for one in records}
    page.write_class(records, pairs, folder / "class.html", links)
    for one in (records[0], records[3], records[-1]):
        page.write_student(one, folder / links[one.submission])
    return folder


def student_page(one: Record, folder: Path) -> str:
    """The text of a student's page."""
    page.write_student(one, folder / "student.html")
    return (folder / "student.html").read_text(encoding="utf-8")


def class_page(records: list[Record], folder: Path) -> str:
    """The text of a class's page."""
    page.write_class(records, [], folder / "class.html")
    return (folder / "class.html").read_text(encoding="utf-8")


def of_one(**facts: object) -> Record:
    """A record of one exercise."""
    return Record("ada", "0.1.0", "limits", [ExerciseResult("ch03_activations.relu", 1, **facts)])  # type: ignore[arg-type]


# --- as text ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    return built(tmp_path_factory.mktemp("pages"))


def every_page(pages: Path) -> Iterator[str]:
    for path in pages.rglob("*.html"):
        yield path.read_text(encoding="utf-8")


def test_the_policy_allows_nothing_but_the_pages_own_style_and_script(pages):
    for text in every_page(pages):
        policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
        assert policy, "before all that it is to rule"
        assert text.index(policy[0]) < text.index("<style>")
        rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
        assert rules["default-src"] == "'none'"
        style, *scripts = re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", text, re.DOTALL)
        assert len(scripts) <= 1
        for name, own in zip(("style-src", "script-src"), (style, *scripts), strict=False):
            digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
            assert rules[name] == f"'sha256-{digest}'"


def test_a_page_needs_no_other_file(pages):
    for text in every_page(pages):
        assert not re.search(r"<(link|script[^>]+src|img|iframe|object|base)\b", text)
        assert not re.search(r"@import|url\(", text)
        targets = re.findall(r'href="([^"]*)"', text)
        assert all(target.startswith(("#", "students/")) for target in targets)


def test_a_student_reads_what_they_got_why_and_what_to_read(tmp_path):
    one = record(3, random.Random(3), catalogue.select([]))
    text = student_page(one, tmp_path)
    failed = next(result for result in one.exercises if result.status == FAILED and result.output)
    name = failed.id.rpartition(".")[2]
    told = re.sub(r"\s+", " ", re.sub(r"<wbr>|</?code[^>]*>", "", text))
    assert f"<strong>{one.final_score:g}</strong> of {one.max_score:g} points" in told
    assert str(page._coded(failed.message.removeprefix(f"{name}: "))) in text
    assert str(page._coded(failed.help)) in text
    assert str(page._coded(lecture_of(failed.id))) in text
    assert "debug: x=3" in text
    for result in one.exercises:
        assert result.id.rpartition(".")[2] in told


def test_a_student_reads_nothing_of_hidden_cases_but_what_the_message_says(tmp_path):
    hidden = [CaseResult("a secret rationale", FAILED, hidden=True, stage=COMPILED, message="input 42.17")] * 7
    public = [CaseResult("negatives", PASSED)] * 3
    message = f"relu: public cases pass; it is wrong on a hidden one ({HIDDEN})."
    some = student_page(of_one(status=FAILED, message=message, cases=[*public, *hidden]), tmp_path)
    more = student_page(of_one(status=FAILED, message=message, cases=[*public, *hidden, *hidden]), tmp_path)
    assert HIDDEN in some
    assert "secret" not in some
    assert "42.17" not in some
    assert some == more, "not even their number"


def test_the_case_that_a_student_may_see_is_named(tmp_path):
    cases = [CaseResult("hidden one", FAILED, hidden=True), CaseResult("negatives, zero, positives", FAILED)]
    text = student_page(of_one(status=FAILED, message="relu: y[0] is 2.", cases=cases), tmp_path)
    assert "negatives, zero, positives" in text
    assert "hidden one" not in text


def test_being_late_is_told_with_what_it_costs(tmp_path):
    late = of_one(status=PASSED, score=1.0)
    late.penalty, late.notes = 0.25, ["Handed in 2 days late."]
    text = student_page(late, tmp_path)
    assert "You earned 1 points; 25 % of them are off for handing in late." in text
    assert "<strong>0.75</strong> of 1 points" in text
    assert "Handed in 2 days late." in text


@pytest.mark.parametrize(
    ("statuses", "verb"),
    [((PASSED, FAILED, "todo"), "mend"), ((PASSED, "todo", PASSED), "write"), ((PASSED, PASSED, PASSED), "")],
)
def test_a_student_is_told_what_to_do_next(tmp_path, statuses, verb):
    asked = catalogue.select(["ch03"])[:3]
    results = [
        ExerciseResult(exercise.id, 1, float(status == PASSED), status)
        for exercise, status in zip(asked, statuses, strict=True)
    ]
    text = student_page(Record("ada", "0.1.0", "limits", results), tmp_path)
    assert f"<b>Next:</b> {verb} " in text if verb else "Everything here is solved." in text


def test_one_broken_line_is_told_once(tmp_path):
    message = "{}: ch03_activations.py, line 3: invalid syntax: `<x`."
    results = [
        ExerciseResult(e.id, 1, 0, ERROR, message.format(e.name), "Mend it.") for e in catalogue.select(["ch03"])
    ]
    text = student_page(Record("ada", "0.1.0", "limits", results), tmp_path)
    assert text.count("invalid syntax") == 1
    assert text.count("The same as above") == len(results) - 1


def test_a_class_page_names_the_mistakes_and_those_at_risk(tmp_path):
    records = classroom(12)
    text = class_page(records, tmp_path)
    commonest = overview.mistakes(records)[0]
    assert str(page._coded(commonest.belief)) in text
    for found in overview.at_risk(records):
        assert "; ".join(found.reasons) in text


@pytest.mark.parametrize("records", [[], [Record("ada", "0.1.0", "limits")], [of_one()]], ids=["none", "empty", "one"])
def test_a_tiny_class_has_a_page(tmp_path, records):
    assert "<h1>Class report</h1>" in class_page(records, tmp_path)
    for one in records:
        assert "0</strong> of " in student_page(one, tmp_path)


def test_students_with_different_exercises_share_a_page(tmp_path):
    one, other = classroom(1, chapters=["ch03"]), classroom(1, chapters=["ch05"])
    text = class_page([*one, *other], tmp_path)
    assert "ch03_activations" in text
    assert "ch05_dense" in text


def test_a_page_grows_with_the_class_by_less_than_twenty_bytes_a_student_and_exercise(tmp_path):
    records = classroom(120)
    small, large = (len(class_page(part, tmp_path).encode()) for part in (records[:40], records))
    assert large - small < 80 * 20 * len(catalogue.exercises())


def test_what_cannot_be_sorted_into_the_catalogue_is_shown_all_the_same(tmp_path):
    strange = Record(
        "ada", "0.1.0", "limits", [ExerciseResult("ch99_future.x", 1, 0, FAILED, mistake="none", help="H")]
    )
    assert "ch99_future" in class_page([strange], tmp_path)
    assert "ch99_future" in student_page(strange, tmp_path)


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium(tmp_path_factory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


PAGES = ("class.html", "students/s0003.html", "students/hostile.html")


@pytest.mark.parametrize("name", PAGES)
def test_the_browser_has_nothing_to_complain_of(chromium, pages, name):
    chromium.open(pages / name)
    for summary in chromium.find("details > summary"):
        chromium.ask("arguments[0].click()", summary)
    assert chromium.log() == []


@pytest.mark.parametrize("name", ["class.html", "students/hostile.html"])
def test_nothing_that_a_student_wrote_is_run_or_becomes_part_of_the_page(chromium, pages, name):
    chromium.open(pages / name)
    assert "owned" not in chromium.driver.title.replace(HOSTILE["student"], "")
    assert chromium.ask("return document.title") != "owned"
    assert chromium.find("img, iframe, object, embed, form, input, b script, bdi *, td script, pre *") == []
    assert len(chromium.find("script")) == (name == "class.html")
    handlers = "return [...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => /^on/.test(a.name)))"
    assert chromium.ask(handlers) == []
    shown = chromium.ask("return document.body.textContent")
    assert "<script>document.title='owned'</script>" in shown, "as text it is there"
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", shown)


def test_a_browser_without_the_policy_runs_nothing_either(chromium, pages, tmp_path):
    for name in ("class.html", "students/hostile.html"):
        text = (pages / name).read_text(encoding="utf-8")
        bare = re.sub(r"<meta http-equiv[^>]*>", "", text)
        assert bare != text
        (tmp_path / "bare.html").write_text(bare, encoding="utf-8")
        chromium.open(tmp_path / "bare.html")
        assert chromium.ask("return document.title") != "owned"
        assert chromium.log() == []


def test_the_policy_stops_a_script_that_got_in(chromium, pages, tmp_path):
    text = (pages / "class.html").read_text(encoding="utf-8")
    (tmp_path / "cracked.html").write_text(
        text.replace("</body>", f"{HOSTILE['output'][6:51]}</body>"), encoding="utf-8"
    )
    chromium.open(tmp_path / "cracked.html")
    assert chromium.ask("return document.title") != "owned"
    assert any("Content Security Policy" in line for line in chromium.log())


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [390, 320])
def test_no_page_is_wider_than_a_phone(chromium, pages, name, width):
    chromium.open(pages / name, (width, PHONE[1]))
    chromium.ask("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert chromium.ask("return document.documentElement.scrollWidth") <= width


def column(chromium: Browser, table: int, place: int) -> list[str]:
    script = """const table = document.querySelectorAll("table.sortable")[arguments[0]];
    return Array.from(table.tBodies[0].rows, row => row.cells[arguments[1]].textContent.trim());"""
    return chromium.ask(script, table, place)


def number(text: str) -> float:
    return float(re.match(r"[\d.]+", text)[0])  # type: ignore[index]


def test_every_column_sorts_both_ways_and_loses_no_row(chromium, pages):
    chromium.open(pages / "class.html")
    tables = chromium.find("table.sortable")
    assert len(tables) >= 6
    for which, table in enumerate(tables):
        heads = table.find_elements("css selector", "thead th")
        before = sorted(column(chromium, which, 0))
        for place, head in enumerate(heads):
            is_number = "number" in head.get_attribute("class")
            button = head.find_element("css selector", "button")
            for direction in ("descending", "ascending") if is_number else ("ascending", "descending"):
                chromium.ask("arguments[0].click()", button)
                assert head.get_attribute("aria-sort") == direction
                filled = [text for text in column(chromium, which, place) if text and text != "–"]
                if is_number:
                    numbers = [number(text) for text in filled]
                    assert numbers == sorted(numbers, reverse=direction == "descending")
                else:
                    ordered = chromium.ask(
                        "return arguments[0].sort(new Intl.Collator('en', {numeric: true}).compare)", filled
                    )
                    assert filled == (ordered if direction == "ascending" else ordered[::-1])
                assert sorted(column(chromium, which, 0)) == before
        assert len([head for head in heads if head.get_attribute("aria-sort")]) == 1
    assert chromium.log() == []


def test_a_column_sorts_by_keyboard(chromium, pages):
    chromium.open(pages / "class.html")
    button = chromium.find("#students thead button")[0]
    chromium.ask("arguments[0].focus()", button)
    button.send_keys("\n")
    assert chromium.find("#students thead th")[0].get_attribute("aria-sort") == "ascending"


def test_without_a_script_the_page_says_the_same(chromium, pages):
    chromium.open(pages / "class.html")
    with_script = chromium.texts("table td, table th, h2, p, summary")
    chromium.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chromium.driver.get((pages / "class.html").resolve().as_uri())
        assert chromium.find("thead button") == []
        source = chromium.driver.page_source
    finally:
        chromium.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    plain = re.sub(r"\s+", "", re.sub(r"<[^>]*>", "", source))
    for text in with_script[:400]:
        assert re.sub(r"\s+", "", text).translate(ESCAPED) in plain


ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})

# Every text with its own colour and the first ground below it that has one, as [text, colour, ground].
COLOURS = """
const opaque = c => !/^rgba\\(.*, 0\\)$|transparent/.test(c);
const found = new Map();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const text = walker.currentNode.textContent.trim(), own = walker.currentNode.parentElement;
  if (!text || own.closest("script, style, .hidden, title")) continue;
  let ground = own;
  while (ground && !opaque(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement;
  const style = getComputedStyle(own);
  const colour = own instanceof SVGElement ? style.fill : style.color;
  const key = colour + getComputedStyle(ground || document.body).backgroundColor;
  found.set(key, [text.slice(0, 40), colour, getComputedStyle(ground || document.body).backgroundColor]);
}
return [...found.values()];
"""


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2 of "rgb(1, 2, 3)" or "#010203"."""
    if colour.startswith("#"):
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    else:
        parts = [float(part) / 255 for part in re.findall(r"[\d.]+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_all_text_stands_out_from_its_ground(chromium, pages, name, scheme):
    chromium.open(pages / name, DESKTOP, prefers_color_scheme=scheme)
    chromium.ask("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = chromium.ask(COLOURS)
    assert len(found) >= 4
    faint = [(text, colour, ground) for text, colour, ground in found if contrast(colour, ground) < CONTRAST]
    assert faint == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_shades_keep_their_order_in_grey(chromium, pages, scheme):
    chromium.open(pages / "class.html", DESKTOP, prefers_color_scheme=scheme)
    script = (
        "return arguments[0].map(n => getComputedStyle(document.documentElement).getPropertyValue('--' + n).trim())"
    )
    for names in (["page", "p", "s", "b", "f", "e", "v"], ["page", "l4", "l3", "l2", "l1", "l0"]):
        steps = [luminance(colour) for colour in chromium.ask(script, names)]
        assert steps == sorted(steps, reverse=scheme == "light")
        assert len(set(steps)) == len(steps)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_found_around_in_without_seeing_it(chromium, pages, name):
    chromium.open(pages / name)
    assert chromium.ask("return document.documentElement.lang") == "en"
    assert len(chromium.find("h1")) == len(chromium.find("main")) == 1
    assert chromium.find("table:not(:has(caption))") == []
    assert chromium.find("thead th:not([scope=col]), tbody th:not([scope=row])") == []
    assert chromium.find("tbody tr:not(:has(th[scope=row]))") == []
    assert chromium.find("svg:not([aria-hidden=true]):not([role=img][aria-label])") == []
    assert chromium.find(".scroll:not([tabindex='0'][role=region])") == []
    levels = chromium.ask("return [...document.querySelectorAll('h1, h2, h3, h4')].map(h => +h.tagName[1])")
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    ids = chromium.ask("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    links = chromium.ask("return [...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.hash.slice(1))")
    assert set(links) <= set(ids)


def test_a_link_leads_to_a_file_whatever_its_name(chromium, tmp_path):
    for name in ("javascript:alert(1)", "a b#c?d", 'x"onclick="y', "<i>&amp;"):
        page.write_class([replace(of_one(), submission=name)], [], tmp_path / "class.html", {name: f"{name}.html"})
        chromium.open(tmp_path / "class.html")
        target = chromium.ask("return document.querySelector('#students a').href")
        assert target == (tmp_path / f"{name}.html").as_uri()


def test_a_class_links_to_its_students_pages(chromium, pages):
    chromium.open(pages / "class.html")
    chromium.ask("document.querySelector('#students a[href=\"students/s0003.html\"]').click()")
    assert chromium.find("h1 bdi")[0].text == next(one.student for one in classroom() if one.submission == "s0003")


def test_every_shade_of_the_map_has_its_sign_in_a_cell(chromium, pages):
    chromium.open(pages / "class.html")
    signs = {text: one.get_attribute("class") for one in chromium.find(".legend span") if (text := one.text)}
    assert len(signs) == 6
    rows = chromium.ask(
        "return [...document.querySelectorAll('.cells td')].map(c => [c.className, c.textContent.trim()])"
    )
    assert {sign for _, sign in rows} == {*signs, ""}
    assert all(letter == ("" if sign in ("✓", "") else signs[sign]) for letter, sign in rows)
    assert {path.get_attribute("class") for path in chromium.find(".map path")} == set(signs.values())


def test_paper_is_white_and_has_no_buttons(chromium, pages):
    shade = "return getComputedStyle(document.querySelector('.sign.f, .legend .f')).backgroundColor"
    chromium.open(pages / "class.html", DESKTOP, prefers_color_scheme="light")
    light = chromium.ask(shade)
    chromium.open(pages / "class.html", DESKTOP, media="print", prefers_color_scheme="dark")
    assert chromium.ask(shade) == light
    assert chromium.ask("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    hidden = chromium.ask("return getComputedStyle(document.querySelector('nav')).display")
    assert hidden == "none"
    assert chromium.ask("return getComputedStyle(document.querySelector('th button')).display") == "contents"
    assert chromium.ask("return getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
    for name in PAGES:
        chromium.open(pages / name)
        assert chromium.printed().startswith(b"%PDF")
