"""Margins that keep the share of picks that miss below a risk, from the outcomes of whole picks.

For each kind of targets, margins are tried from the largest down, and the last before the first failure is
taken: at it and at all above, the rule holds for every target asked. By the rule `sure`, an exact binomial
test rejects that picks miss more often than the risk (fixed-sequence testing after Angelopoulos et al.,
"Learn then Test", 2021, https://arxiv.org/abs/2110.01052). The rule `on_average` asks less: (missed + 1) /
(picks + 1) <= risk, where the one that is added is the picture to come, which may always miss (conformal risk
control, Angelopoulos et al., 2022, https://arxiv.org/abs/2208.02814). There is one pick a picture. Margins
that leave a pick of fewer than a quarter of the pictures, or of too few to tell, are passed over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.asked import Targets
from sursmr_codec.risk import Margins, lowered
from sursmr_codec.search import search
from sursmr_codec.types import Probe, Score

STEP, LARGEST = 0.1, 5.0
"""Of logarithms of odds: between two margins that are tried, and the largest of all."""
FEWEST = 0.25
"""Share of the pictures of which margins must leave a pick."""
CONFIDENCE = 0.9
"""Of the rule `sure`."""
TOO_SMALL = 1e-6
"""What misses a target by less meets it."""

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PickLadder:
    """One picture under one codec: N rungs, QP rising, whose truth is known."""

    predicted: Values
    """(N, 2) SUR and SMR, NaN where it is not predicted."""
    truth: Values
    """(N, 2), NaN where it is not defined."""
    n_bytes: Values
    """(N,)"""

    def every_qp(self, qps: NDArray[np.int64]) -> PickLadder:
        """The ladder with a rung at every QP: all numbers on straight lines between those at `qps`, (N,).

        So picks come as near to the edge of the prediction as they do where every QP can be taken.
        """
        between = np.arange(qps[0], qps[-1] + 1)

        def joined(values: Values) -> Values:
            return np.stack([np.interp(between, qps, column) for column in values.T], axis=1)

        sizes = np.exp(np.interp(between, qps, np.log(self.n_bytes)))
        return PickLadder(joined(self.predicted), joined(self.truth), sizes)


@dataclass(frozen=True)
class Outcome:
    """What came of one pick."""

    shortfall: float
    """By how much the target that is missed most is missed in truth; 0 where both are met."""
    n_bytes: float

    @property
    def missed(self) -> bool:
        """Whether a target is missed in truth."""
        return self.shortfall > TOO_SMALL


@dataclass(frozen=True)
class Calibrated:
    """The smallest margins that hold at a risk, and the worst of the targets there."""

    margins: Margins
    n_picks: int
    n_missed: int


def outcome(ladder: PickLadder, targets: Targets, margins: Margins) -> Outcome | None:
    """Search a ladder as `pick` does; None where no rung is picked, or its truth is not defined."""
    cautious = Targets(targets.sur, targets.smr, risk=0.5)

    def probe(place: int) -> Probe:
        sur, smr = (None if math.isnan(one) else float(one) for one in ladder.predicted[place])
        low = (lowered(sur, margins.sur), lowered(smr, margins.smr))
        return Probe(place, Score(sur, smr, None, None, *low), 1)

    found = search(probe, range(len(ladder.predicted)), cautious).chosen
    if found is None:
        return None
    pairs = zip(ladder.truth[found.qp].tolist(), (targets.sur, targets.smr), strict=True)
    short = [target - have for have, target in pairs if target > 0]
    return None if math.isnan(sum(short)) else Outcome(max(0.0, *short), float(ladder.n_bytes[found.qp]))


Rule = Callable[[int, int, float], bool]
"""Whether so many missed, of so many picks, keep a risk."""


def sure(n_missed: int, n_picks: int, risk: float) -> bool:
    """Of all pictures, no larger a share misses, at a confidence."""
    return binomial_cdf(n_missed, n_picks, risk) <= 1.0 - CONFIDENCE


def on_average(n_missed: int, n_picks: int, risk: float) -> bool:
    """The next picture misses with no larger a chance, over drawings of these and of it."""
    return n_missed + 1 <= risk * (n_picks + 1)


def calibrate(
    ladders: Sequence[PickLadder], targets: Sequence[Targets], risks: Sequence[float], rule: Rule = sure
) -> dict[float, Calibrated]:
    """Risk -> the smallest margins at which `rule` holds for each of `targets`.

    `ladders` are of different pictures, and all `targets` of one kind. Risks that no margins hold are left
    out.
    """
    held: dict[float, Calibrated] = {}
    failed: set[float] = set()
    for margins in _falling(targets[0]):
        found = [[outcome(one, asked, margins) for one in ladders] for asked in targets]
        picks = [[one.missed for one in some if one is not None] for some in found]
        worst = max(picks, key=lambda some: (sum(some) + 1) / (len(some) + 1))
        fewest = min(map(len, picks))
        for risk in set(risks) - failed:
            too_few = fewest < FEWEST * len(ladders) or not rule(0, fewest, risk)
            if risk not in held and too_few:
                continue
            if all(rule(sum(some), len(some), risk) for some in picks):
                held[risk] = Calibrated(margins, len(worst), sum(worst))
            else:
                failed.add(risk)
        if failed.issuperset(risks):
            break
    return held


def _falling(kind: Targets) -> Iterator[Margins]:
    # One margin for both targets: on `val/choosing`, of 0 to 8 times the other for SMR, as much or a little
    # less took the fewest bytes at an equal share of pictures that meet both.
    for step in range(round(LARGEST / STEP), -1, -1):
        factor = math.exp(step * STEP)
        yield Margins(factor if kind.sur > 0 else 1.0, factor if kind.smr > 0 else 1.0)


def binomial_cdf(k: int, n: int, p: float) -> float:
    """Chance of at most k successes in n trials, each of chance p."""
    return math.fsum(math.comb(n, i) * p**i * (1.0 - p) ** (n - i) for i in range(k + 1))


def interval(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval of the chance behind k successes in n > 0 trials."""
    tail = (1.0 - level) / 2.0
    low = 0.0 if k == 0 else _root(lambda p: 1.0 - binomial_cdf(k - 1, n, p) < tail)
    high = 1.0 if k == n else _root(lambda p: binomial_cdf(k, n, p) > tail)
    return low, high


def _root(below: Callable[[float], bool]) -> float:
    """Where in 0..1 what holds at first ends to."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2.0
