"""Picks beside each kind of baseline, with the confidence interval of what they save: pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sursmr_codec.bench.asks import Judged
from sursmr_codec.bench.bootstrap import interval
from sursmr_codec.bench.result import Compared, Tried
from sursmr_codec.bench.shares import Counts, Family, Flags, saved_percent


class Picks:
    """The picked files of the judged images, as arrays."""

    def __init__(self, files: Sequence[Judged]) -> None:
        self.files = tuple(files)
        self.n_bytes: Counts = np.array([file.n_bytes for file in files], np.int64)
        self.met: Flags = np.array([file.met for file in files], bool)

    @property
    def share(self) -> float:
        """Of the images whose pick meets the targets."""
        return float(self.met.mean())

    def against(
        self,
        name: str,
        setting: float | None,
        files: Sequence[Judged | None],
        cost: Callable[[Counts], float],
        tried: tuple[Tried, ...] = (),
    ) -> Compared:
        """`cost` gives the baseline's bytes for a folder that holds each image so many times, (N,)."""
        once = np.ones(len(self.files), np.int64)
        compared = cost(once)
        return Compared(
            name,
            setting,
            tuple(files),
            None if math.isnan(compared) else compared,
            None if math.isnan(compared) else saved_percent(float(self.n_bytes.sum()), compared),
            interval(lambda drawn: saved_percent(float(drawn @ self.n_bytes), cost(drawn)), len(self.files)),
            tried,
        )


def everyday(picks: Picks, name: str, files: Sequence[Judged]) -> Compared:
    """One setting for all, at whatever share it reaches."""
    n_bytes = np.array([file.n_bytes for file in files], np.int64)
    return picks.against(name, files[0].qp, files, lambda drawn: float(drawn @ n_bytes))


def at_equal_share(
    picks: Picks, name: str, settings: Sequence[float], tried: Mapping[int, Sequence[Judged]]
) -> Compared:
    """The setting that reaches the picks' share; `tried` holds the files of settings, by their index.

    In each draw of the bootstrap the share is that draw's, and the setting is chosen anew.
    """
    order = sorted(tried)
    family = Family(
        tuple(settings[index] for index in order),
        np.array([[file.met for file in tried[index]] for index in order], bool).T,
        np.array([[file.n_bytes for file in tried[index]] for index in order], np.int64).T,
    )

    def cost(drawn: Counts) -> float:
        return family.bytes_at(float(drawn @ picks.met / drawn.sum()), drawn)

    shares, totals = family.curve()
    settings_tried = tuple(
        Tried(setting, 100.0 * float(share), int(total))
        for setting, share, total in zip(family.settings, shares, totals, strict=True)
    )
    chosen = family.chosen(picks.share)
    if chosen is None:
        return picks.against(name, None, (), cost, settings_tried)
    return picks.against(name, family.settings[chosen], tried[order[chosen]], cost, settings_tried)


def oracle(picks: Picks, name: str, highest: Sequence[Judged | None]) -> Compared:
    """The true highest QP of each image, compared on the images that the picks meet the targets on."""
    limits = np.array(
        [
            file.n_bytes if best is None or not file.met else best.n_bytes
            for file, best in zip(picks.files, highest, strict=True)
        ],
        np.int64,
    )
    return picks.against(name, None, highest, lambda drawn: float(drawn @ limits))
