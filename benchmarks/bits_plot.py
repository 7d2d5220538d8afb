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
        joint: dict[tuple[float, float], list[Record]] = {}
        for one in best["results"]:
            if one["sur"] and one["smr"]:
                joint.setdefault((one["sur"], one["smr"]), []).append(one)
        if joint:
            _draw(codec, [joint[targets] for targets in sorted(joint)], folder / f"bits-{codec}.png")


def _draw(codec: str, panels_of: list[list[Record]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(
        1, len(panels_of), figsize=(max(8.4, 4.2 * len(panels_of)), 4.2), layout="constrained", squeeze=False
    )
    figure.patch.set_facecolor("white")
    for axes, results in zip(panels[0], panels_of, strict=True):
        _panel(axes, results)
    panels[0][0].set_ylabel("pictures that meet the targets, %")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.suptitle(f"{codec}, {panels_of[0][0]['n_images']} pictures: up and to the left is better")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _panel(axes: Any, results: list[Record]) -> None:
    """One pair of targets: picks with and without a risk, and what else was tried on the same pictures."""
    n_pixels = results[0]["n_pixels"]
    shown = []
    for name, (label, colour, style) in _FAMILIES.items():
        tried = {tuple(point) for one in results for point in one["baselines"].get(name, {}).get("curve", [])}
        curve = sorted(tried, key=lambda point: float(point[2]))
        across, up = [8 * point[2] / n_pixels for point in curve], [point[1] for point in curve]
        axes.plot(across, up, style, color=colour, label=label, linewidth=1.8, marker=".", markersize=5)
    for one in results:
        bpp, share = 8 * one["n_bytes"] / n_pixels, one["met_percent"]
        risk = one["risk"]
        label = f"picks, risk {risk:g}" if risk else "picks"
        fill = "white" if risk else _PICKS
        axes.plot([bpp], [share], "*", color=_PICKS, markerfacecolor=fill, markersize=15, label=label)
        shown.append((bpp, share))
        limit = one["baselines"].get("oracle", {}).get("n_bytes_compared")
        if limit is not None:
            least = 8 * limit / n_pixels
            axes.plot(
                [least],
                [share],
                "D",
                color=_ORACLE,
                markersize=8,
                label=None if risk else "oracle",
            )
            shown.append((least, share))
    first = results[0]
    axes.set(title=f"SUR {first['sur']:g} and SMR {first['smr']:g}", xlabel="bits a pixel")
    across, up = zip(*shown, strict=True)
    axes.set_xlim(0.8 * min(across), 1.6 * max(across))
    axes.set_ylim(max(-3.0, min(up) - 20), min(103.0, max(up) + 20))
    axes.grid(alpha=0.25)
