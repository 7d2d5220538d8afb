"""Histograms as SVG that stands in the page itself: there without any script, in the page's own colours."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from xml.etree import ElementTree

from sursmr_codec.records import Record
from sursmr_codec.report.totals import Histogram

_SVG = "http://www.w3.org/2000/svg"
_INCHES = (4.5, 2.1)
_BARS, _TEXT, _MUTED, _LINE = "#000001", "#000002", "#000003", "#000004"
_STYLES = {_TEXT: "var(--text)", _MUTED: "var(--muted)", _LINE: "var(--line)"}
"""Stand-ins for the page's colours, which change with the reader's scheme."""
_RC = {
    "svg.fonttype": "none",  # text stays text
    "font.size": 11,
    "axes.edgecolor": _LINE,
    "grid.color": _LINE,
    "text.color": _MUTED,
    "xtick.color": _LINE,
    "ytick.color": _LINE,
    "xtick.labelcolor": _MUTED,
    "ytick.labelcolor": _MUTED,
}


def draw(one: Histogram, target: float | None = None) -> str:
    """An `svg` element; `target` is marked by a line. Each bar says what it is when it is pointed at."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    width = one.edges[1] - one.edges[0]
    whole = one.name == "QP" and width == 1
    # Salted by name, as the ids of all drawings share one page.
    with rc_context({**_RC, "svg.hashsalt": one.name}):
        figure = Figure(figsize=_INCHES, layout="constrained")
        axes = figure.subplots()
        bars = axes.bar(
            one.edges[:-1], one.counts, width * 0.88, align="center" if whole else "edge", color=_BARS
        )
        for number, bar in enumerate(bars):
            bar.set_gid(f"bar-{number}")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=one.name == "QP"))
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0)
        if target is not None:
            axes.axvline(target, color=_TEXT, linestyle=(0, (2, 2)), linewidth=1.2)
            axes.annotate(
                f"target {target:g}",
                (target, 1),
                xycoords=("data", "axes fraction"),
                ha="center",
                va="bottom",
                xytext=(0, 3),
                textcoords="offset points",
            )
        file = io.BytesIO()
        figure.savefig(file, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator")))
    return _for_page(file.getvalue(), one, whole=whole)


def common_target(records: Sequence[Record], name: str) -> float | None:
    """The target of that ratio, where all picks share one that is not switched off; QP has none."""
    targets = {record["targets"].get(name) for record in records if record["qp"] is not None}
    return (targets.pop() or None) if len(targets) == 1 else None


def _for_page(drawing: bytes, one: Histogram, *, whole: bool) -> str:
    """The drawing as part of a page: no size of its own, page colours and fonts, and words for each bar."""
    ElementTree.register_namespace("", _SVG)
    svg = ElementTree.fromstring(drawing)
    for group in list(svg.iter()):
        # The rules of a style would hold for the whole page.
        for kind in ("style", "metadata"):
            for extra in group.findall(f"{{{_SVG}}}{kind}"):
                group.remove(extra)
    for name in ("width", "height"):
        del svg.attrib[name]
    used = set(re.findall(rb"#(\w+)", drawing))
    for element in svg.iter():
        number = re.fullmatch(r"bar-(\d+)", element.get("id", ""))
        if number:
            title = ElementTree.Element(f"{{{_SVG}}}title")
            title.text = _words(one, int(number[1]), whole=whole)
            element.insert(0, title)
        if element.get("id", "").encode() not in used:
            element.attrib.pop("id", None)
        if "style" in element.attrib:
            element.set("style", _restyled(element.get("style", ""), f"var(--{one.name.lower()})"))
    return ElementTree.tostring(svg, encoding="unicode")


def _restyled(style: str, bars: str) -> str:
    for stand_in, colour in {**_STYLES, _BARS: bars}.items():
        style = style.replace(stand_in, colour)
    return re.sub(r"font-family: [^;]*; ?", "", style)


def _words(one: Histogram, bar: int, *, whole: bool) -> str:
    low, high, count = one.edges[bar], one.edges[bar + 1], one.counts[bar]
    place = f"{low:g}" if whole else f"{low:g} to {high:g}"
    return f"{one.name} {place}: {count} {'picture' if count == 1 else 'pictures'}"
