"""The page in a real browser: it sorts, filters, compares, draws, and asks for nothing but its files."""

from __future__ import annotations

from itertools import pairwise

import fabricated
import pytest

from sursmr_codec.report.html import write_page

expect = pytest.importorskip("playwright.sync_api", reason="pip install playwright").expect
Axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python"
).Axe

WORDS = "#table tbody tr:not([hidden]) th"
SIZES = ((20_137, 20_913), (27_000, 270_000), (900, 2_400_000), (5_000, 5_000))
"""Smallest and largest rung of pictures whose curves are looked at."""


def _probes(low, high):
    return [fabricated.probe(50, 0.87, 0.9, low), fabricated.probe(1, 0.996, 0.99, high)]


@pytest.fixture(scope="module")
def address(tmp_path_factory, real_done):
    """The address of a page of 400 sources, three with real files and some with odd names."""
    out = tmp_path_factory.mktemp("run") / "out <b> & #1"
    out.mkdir()
    records = [
        *fabricated.many(391),
        *(fabricated.unmet(f"sizes/{low}-{high}.png", probes=_probes(low, high)) for low, high in SIZES),
        real_done(out, "real/photo #1 ü?.png", "jpeg"),
        real_done(out, "real/film.png", "hevc"),
        real_done(out, "real/large.png", "hevc", size=(1800, 1200)),
        fabricated.failed("caf\udce9.png"),
        fabricated.failed("</script><img src=x onerror=alert(1)>.png"),
    ]
    return write_page(records, out).as_uri()


class Watched:
    """A tab that notes every complaint and every address it asks for."""

    def __init__(self, browser):
        self.page = browser.new_page(viewport={"width": 1280, "height": 800})
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))


@pytest.fixture(scope="module")
def watched(browser, address):
    """One tab for all tests, as a page and its plots take a second to load."""
    tab = Watched(browser)
    tab.page.goto(address)
    tab.page.wait_for_selector("#table tbody tr")
    yield tab
    tab.page.close()


@pytest.fixture
def page(watched):
    """The page as it comes up; afterwards nothing was complained about, and nothing asked of a network."""
    page = watched.page
    if page.locator("#detail").is_visible():
        page.keyboard.press("Escape")
    page.locator("#filters [type=reset]").click()
    if heading(page, "Picture").get_attribute("aria-sort") != "ascending":
        heading(page, "Picture").get_by_role("button").click()
    yield page
    assert watched.complaints == []
    assert {url.split(":")[0] for url in watched.requests} <= {"file", "data", "blob"}


def show(page, name):
    """Open the details of the source of that name."""
    page.evaluate("(name) => { location.hash = encodeURIComponent(name); }", name)
    expect(page.locator("#detail-title")).to_have_text(name)


def await_pictures(page, width):
    """Wait until both pictures of the comparison are there, `width` pixels wide."""
    expect(page.locator(".layer img")).to_have_count(2)
    for image in page.locator(".layer img").all():
        expect(image).to_have_js_property("naturalWidth", width)


def column(page, name):
    """The texts of one column, from the top, of the rows that are there."""
    headings = page.locator("#table thead th").all_inner_texts()
    place = [heading.strip() for heading in headings].index(name)
    return page.eval_on_selector_all(
        "#table tbody tr", f"rows => rows.map(row => row.cells[{place}].innerText)"
    )


def heading(page, name):
    return page.locator("#table thead th", has=page.get_by_role("button", name=name, exact=True))


def test_it_sorts_by_a_heading_both_ways(page):
    assert heading(page, "Picture").get_attribute("aria-sort") == "ascending"
    heading(page, "QP").get_by_role("button").click()
    assert heading(page, "QP").get_attribute("aria-sort") == "ascending"
    assert heading(page, "Picture").get_attribute("aria-sort") is None
    rising = [int(text) for text in column(page, "QP")]
    assert rising == sorted(rising)
    heading(page, "QP").get_by_role("button").press("Enter")
    assert heading(page, "QP").get_attribute("aria-sort") == "descending"
    falling = [int(text) for text in column(page, "QP")]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] > rising[0]


def test_sources_without_a_value_stand_last(page):
    page.locator("#status").select_option("failed")
    heading(page, "Saved").get_by_role("button").click()
    assert set(column(page, "Saved")) == {"–"}
    page.locator("#status").select_option("")
    for _ in range(2):
        heading(page, "Saved").get_by_role("button").click()
        assert "–" not in column(page, "Saved")[:50]


def test_it_filters_by_name_and_by_choice(page):
    page.locator("#find").fill("REAL film")
    assert page.locator(WORDS).all_inner_texts() == ["real/film.png"]
    assert page.locator("#count").inner_text() == "1 of 400 pictures"
    page.locator("#find").fill("nothing is called that")
    assert "No picture fits" in page.locator("#table tbody").inner_text()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#count")).to_have_text("400 pictures")
    page.locator("#binding").select_option("smr")
    assert set(column(page, "Binds")) <= {"machines (SMR)", "–"}
    page.locator("#codec").select_option("hevc")
    assert page.locator("#count").inner_text() == "0 of 400 pictures"


def test_a_total_leads_to_its_rows(page):
    page.locator("[data-show-status=failed]").click()
    assert set(column(page, "Status")) == {"failed"}
    assert page.locator("#status").input_value() == "failed"


def test_rows_are_made_as_they_come_into_view(page):
    first = page.locator("#table tbody tr").count()
    assert first < 400
    assert page.locator("#table").get_attribute("aria-rowcount") == "401"
    for n_rows in (300, 400):
        page.locator("#table tbody tr").last.scroll_into_view_if_needed()
        expect(page.locator("#table tbody tr")).to_have_count(n_rows)
    expect(page.locator("#more")).to_be_hidden()


@pytest.mark.parametrize("name", ["real/photo #1 ü?.png", "real/film.png"])
def test_the_slider_uncovers_the_original(page, name):
    page.locator("#find").fill(name)
    page.locator("#table tbody a").focus()
    page.keyboard.press("Enter")
    await_pictures(page, 192)
    covered = []
    for keys in ((), ("ArrowRight",) * 20, ("End",), ("Home",)):
        page.locator("#split").focus()
        for key in keys:
            page.keyboard.press(key)
        covered.append(page.eval_on_selector(".upper", LEFT_PART))
    middle, right, end, home = covered
    assert end > right > middle > home


def test_the_divider_follows_the_pointer(page):
    show(page, "real/film.png")
    await_pictures(page, 192)
    picture = page.locator(".layer img").first.bounding_box()
    middle = picture["y"] + picture["height"] / 2
    page.mouse.move(picture["x"] + picture["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(picture["x"] + picture["width"] * 0.8, middle)
    page.mouse.up()
    assert float(page.locator("#split").input_value()) == pytest.approx(80, abs=1)


def test_a_large_picture_is_enlarged_from_its_cut(page):
    show(page, "real/large.png")
    await_pictures(page, 1600)
    page.get_by_role("button", name="100 %").click()
    await_pictures(page, 640)
    assert page.get_by_text("the part that differs most").is_visible()
    before = page.eval_on_selector(".layer img", "e => e.style.left")
    page.get_by_role("button", name="400 %").click()
    page.locator(".stage").focus()
    page.keyboard.press("ArrowLeft")
    assert page.eval_on_selector(".layer img", "e => e.style.left") != before
    page.get_by_role("button", name="Difference").click()
    assert page.locator("#split").is_disabled()


def test_the_curve_marks_targets_and_pick_and_says_what_binds(page):
    show(page, "real/film.png")
    page.wait_for_selector("#curve svg")
    drawn = page.locator("#curve").inner_text()
    for text in ("SUR ≥ 0.75", "SMR ≥ 0.9", "picked: QP 33"):
        assert text in drawn
    assert page.locator("#curve .scatterlayer .trace").count() == 3
    assert "picked QP 33" in page.locator("#curve").get_attribute("aria-label")
    assert "at QP 34, the next one tried, SUR is 0.729" in page.locator("#detail-binds").inner_text()
    page.get_by_text("Every rung tried, as a table").click()
    assert page.locator("#probes tbody tr").count() == 5
    assert page.locator("#probes tr[aria-current] td").first.inner_text() == "33"


@pytest.mark.parametrize(("low", "high"), SIZES)
def test_sizes_beside_the_curve_are_few_and_keep_clear_of_each_other(page, low, high):
    show(page, f"sizes/{low}-{high}.png")
    page.wait_for_selector("#curve svg .y2tick text")
    boxes = [label.bounding_box() for label in page.locator("#curve .y2tick text").all()]
    assert (1 if low == high else 2) <= len(boxes) <= 7
    boxes.sort(key=lambda box: box["y"])
    for upper, lower in pairwise(boxes):
        assert upper["y"] + upper["height"] <= lower["y"] + 1


def test_the_dialog_is_left_and_walked_by_keyboard(page):
    page.locator("#find").fill("real/")
    page.locator("#table tbody a").first.press("Enter")
    title = page.locator("#detail-title")
    expect(title).to_have_text("real/film.png")
    page.keyboard.press("j")
    assert title.inner_text() == "real/large.png"
    assert page.url.endswith("#real%2Flarge.png")
    page.keyboard.press("Escape")
    expect(page.locator("#table tbody a", has_text="real/large.png")).to_be_focused()
    assert page.locator("#detail").is_hidden()
    assert "#" not in page.url


def test_an_address_opens_its_picture_at_once(browser, address):
    page = browser.new_page()
    page.goto(f"{address}#real%2Ffilm.png")
    expect(page.locator("#detail-title")).to_have_text("real/film.png")
    page.close()


@pytest.mark.parametrize("status", ["failed", "unmet", "skipped", "done"])
def test_every_status_has_its_details(page, status):
    page.locator("#status").select_option(status)
    heading(page, "Saved").get_by_role("button").click()
    page.locator("#table tbody a").first.click()
    expect(page.locator("#detail-line .status")).to_have_text(status)
    for word in ("null", "undefined", "NaN"):
        assert word not in page.locator("#detail").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_and_nothing_overflows(page, scheme, width):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.locator("#find").fill("real")  # axe takes long over hundreds of rows
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    show(page, "real/film.png")
    expect(page.locator("#curve svg").first).to_be_visible()
    assert page.evaluate("document.querySelector('#detail .body').scrollWidth") <= width
    assert violations(page) == []
    page.set_viewport_size({"width": 1280, "height": 800})


def violations(page):
    """What axe-core has against the page as it stands."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], node["html"]) for one in found for node in one["nodes"]]


# How much of the upper picture, the original, its clip leaves at the left.
LEFT_PART = """(layer) => {
  const [, right] = getComputedStyle(layer).clipPath.match(/^inset\\(0px calc\\((.*)\\) 0px 0px\\)$/);
  const [, percent, pixels] = right.match(/^(\\d+)% - ([\\d.]+)px$/);
  return percent === "100" ? Number(pixels) : NaN;
}"""
