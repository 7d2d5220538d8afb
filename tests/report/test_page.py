"""The page as a file: whole, closed to other people's text, and honest about what is missing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys

import fabricated
import pytest

from sursmr_codec.errors import MissingExtra, OutputError
from sursmr_codec.report.html import write_page

NASTY = "</script><script>alert(1)</script>/<img src=x onerror=alert(2)>&\"'.png"

ONE_OF_EACH = [
    fabricated.done("a.png"),
    fabricated.kept("b.jpg"),
    fabricated.unmet("c.png"),
    fabricated.failed(NASTY, reason="<b>broken</b>", retry="<i>mend</i>"),
    fabricated.skipped("e.txt"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The path of a page with one source of each status."""
    return write_page(ONE_OF_EACH, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def text(page):
    """What stands in it."""
    return page.read_text("utf-8")


def test_it_lies_among_the_runs_own_files(page):
    assert page.parts[-3:] == (".sursmr-qp", "report", "index.html")
    index, plotting = sorted(path.name for path in page.parent.iterdir())
    assert index == "index.html"
    assert re.fullmatch(r"plotly-[\d.]+\.min\.js", plotting)


def test_no_text_of_a_result_is_markup(text):
    for markup in ("<img src=x", "<script>alert", "<b>broken", "<i>mend"):
        assert markup not in text
    assert "&lt;b&gt;broken&lt;/b&gt;" in text


def test_the_payload_has_every_source_in_order(text):
    (payload,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    entries = json.loads(payload)["entries"]
    assert [entry["source"] for entry in entries] == sorted(record["source"] for record in ONE_OF_EACH)


def test_the_policy_lets_in_the_pages_own_scripts_alone(text):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert rules["script-src"].split() == ["'self'", "file:", *(f"'sha256-{digest}'" for digest in digests)]
    assert "http" not in policy


def test_it_names_no_address_on_a_network(text):
    assert set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text)) <= {"http://www.w3.org"}  # a namespace


def test_totals_and_problems_need_no_script(text):
    static = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert "46.7 %" in re.sub(r"</?strong>", "", static)
    assert "reaches 0.980 at QP 25" in static
    assert "1.1 MB in 2 pictures became 594.0 kB" in re.sub(r"\s+", " ", static)


def test_an_empty_run_and_one_without_a_result_have_pages(tmp_path):
    for name, records in (("none", []), ("failed", [fabricated.failed()])):
        page = write_page(iter(records), tmp_path / name)
        assert "Nothing was compressed" in page.read_text("utf-8")


def test_a_name_that_is_not_valid_utf8_does_not_stop_it(tmp_path):
    page = write_page([fabricated.failed("caf\udce9.png")], tmp_path)
    assert "caf\\udce9.png" in page.read_text("utf-8")


def test_long_lists_of_problems_are_cut_and_say_so(tmp_path):
    page = write_page([fabricated.failed(f"{number}.png") for number in range(60)], tmp_path)
    assert "and 10 more, in the table" in page.read_text("utf-8")


def test_copies_that_no_picture_has_any_more_are_removed(tmp_path, real_done):
    record = real_done(tmp_path, "a.png", "hevc")
    page = write_page([record], tmp_path)
    assert len(list(page.parent.glob("previews/*.webp"))) == 2
    write_page([fabricated.failed()], tmp_path)
    assert list(page.parent.glob("previews/*.webp")) == []


def test_progress_counts_the_copies(tmp_path, real_done):
    records = [real_done(tmp_path, f"{name}.png", "hevc") for name in "abc"]
    told = []
    write_page(records, tmp_path, n_previews=2, progress=lambda *at: told.append(at))
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize("library", ["jinja2", "plotly", "matplotlib"])
def test_a_missing_library_is_named(tmp_path, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtra, match=rf"{library}.*sursmr-qp\[report\]"):
        write_page(ONE_OF_EACH, tmp_path)
    assert not (tmp_path / ".sursmr-qp").exists()


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / ".sursmr-qp").write_text("in the way")
    with pytest.raises(OutputError, match=r"\.sursmr-qp"):
        write_page(ONE_OF_EACH, tmp_path)
