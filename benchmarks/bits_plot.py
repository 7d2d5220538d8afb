"""Pictures of `bits.py`: share of pictures that meet the targets over bits a pixel, one picture a codec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

Record = dict[str, Any]

_FAMILIES = {
    "best-fixed": ("one QP for all", "#c4511d", "-"),
    "ssimulacra2": ("SSIMULACRA2 search", "#1f6fb2", "--"),
    "cvvdp": ("CVVDP search", "#1b7f4d", ":"),
}
_PICKS, _ORACLE = "#111111", "#7b3fb5"


def draw(record: Record, folder: Path) -> None:
    """Write `bits-CODEC.png` for every codec, from the set of pictures that has most of them."""
    for codec in {codec for part in record["parts"].values() for codec in part["codecs"]}:
        having = [part["codecs"][codec] for part in record["parts"].values() if codec in part["codecs"]]
        # An oracle is worth more than a few pictures.
        best = max(having, key=lambda one: ("oracle" in one["results"][0]["baselines"], len(one["results"])))
        joint = [one for one in best["results"] if one["sur"] and one["smr"]]
        if joint:
            _draw(codec, sorted(joint, key=lambda one: float(one["sur"])), folder / f"bits-{codec}.png")


def _draw(codec: str, results: list[Record], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(
        1, len(results), figsize=(max(8.4, 4.2 * len(results)), 4.2), layout="constrained", squeeze=False
    )
    figure.patch.set_facecolor("white")
    for axes, one in zip(panels[0], results, strict=True):
        _panel(axes, one)
    panels[0][0].set_ylabel("pictures that meet the targets, %")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.suptitle(f"{codec}, {results[0]['n_images']} pictures: up and to the left is better")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _panel(axes: Any, one: Record) -> None:
    n_pixels, share = one["n_pixels"], one["met_percent"]
    bpp = 8 * one["n_bytes"] / n_pixels
    shown = [bpp]
    for name, (label, colour, style) in _FAMILIES.items():
        curve = sorted(one["baselines"].get(name, {}).get("curve", []), key=lambda point: float(point[2]))
        across, up = [8 * point[2] / n_pixels for point in curve], [point[1] for point in curve]
        shown += across
        axes.plot(across, up, style, color=colour, label=label, linewidth=1.8, marker=".", markersize=5)
    axes.axhline(share, color="#999999", linewidth=0.8, zorder=0)
    axes.plot([bpp], [share], "*", color=_PICKS, markersize=15, label="picks")
    limit = one["baselines"].get("oracle", {}).get("n_bytes_compared")
    if limit is not None:
        shown.append(8 * limit / n_pixels)
        axes.plot([8 * limit / n_pixels], [share], "D", color=_ORACLE, markersize=8, label="oracle")
    axes.set(title=f"SUR {one['sur']:g} and SMR {one['smr']:g}", xlabel="bits a pixel")
    axes.set_xlim(0.9 * min(shown), min(1.05 * max(shown), 2 * bpp))
    axes.set_ylim(max(-3.0, share - 25), min(103.0, share + 25))
    axes.grid(alpha=0.25)
