"""Finds the highest QP whose own rung meets the targets: pure, no pixels, no codecs.

Satisfaction of machines is not monotone in QP, so no rung is ever taken on trust: the answer is a rung that
was probed and met. The search keeps a bracket (a met rung below, a failed one above) and closes it where the
ratios seen so far say that the answer lies; the rung above its answer was probed and fails. Where a ratio
rises again further up, a higher rung may meet the targets too: exhaustive search probes every rung and so
returns the true highest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

from sursmr_codec.errors import UsageError
from sursmr_codec.interpolating import Expected, crossing, wanted
from sursmr_codec.types import Binding, Probe, Score, SearchSettings, Targets

Steps = Generator[int, Probe | None, "Answer"]
"""Yields the QP to probe next, takes its probe, returns the answer.

None in a probe's place says that the rung's file is too large to be made: the answer lies at a higher QP.
"""


_SPARE = 2
"""Probes that a search may make more than bisection would."""


@dataclass(frozen=True)
class Answer:
    """What a search found."""

    probes: tuple[Probe, ...]
    """In the order tried; each QP once; none where every rung that was tried is too large to be made."""
    chosen: Probe | None
    """The rung to write; None where nothing may be written."""
    met: bool
    """Whether `chosen` meets both targets and the byte limit."""
    binding: Binding
    """What keeps the QP from rising further, or what could not be met."""


def margins(score: Score, targets: Targets) -> dict[Binding, float]:
    """By how much each switched-on target is exceeded; negative where missed, -target where undefined.

    With a risk set, the lower end of the ratio's interval is judged instead of the ratio.
    """
    asked = wanted(targets)
    return {name: ratio - asked[name] for name, ratio in _judged(score, targets).items()}


def _judged(score: Score, targets: Targets) -> dict[Binding, float]:
    """What is held against each switched-on target; 0 where it is undefined."""
    cautious = targets.risk is not None
    ratios: dict[Binding, float | None] = {
        "sur": score.sur_low if cautious else score.sur,
        "smr": score.smr_low if cautious else score.smr,
    }
    return {name: ratios[name] or 0.0 for name in wanted(targets)}


def meets(score: Score, targets: Targets) -> bool:
    """Whether every switched-on target is reached (>=); an undefined ratio reaches none."""
    return all(margin >= 0 for margin in margins(score, targets).values())


def most_encodes(n_rungs: int) -> int:
    """Largest number of probes a search over `n_rungs` rungs makes, from any start: bisection's and two more.

    The two leave room for guesses; when they are used up, the rest is bisected.
    """
    return min(n_rungs, math.ceil(math.log2(n_rungs)) + 1 + _SPARE) if n_rungs > 1 else 1


def rungs_of(qp_range: range, settings: SearchSettings) -> range:
    """The codec's rungs that the settings leave; raises UsageError where none is left."""
    low = qp_range[0] if settings.min_qp is None else settings.min_qp
    high = qp_range[-1] if settings.max_qp is None else settings.max_qp
    for name, qp in (("min QP", low), ("max QP", high)):
        if qp not in qp_range:
            raise UsageError(f"{name} must lie in {qp_range[0]}..{qp_range[-1]}, not {qp}")
    if low > high:
        raise UsageError(f"min QP {low} is above max QP {high}")
    return range(low, high + 1)


def search(
    probe_at: Callable[[int], Probe | None],
    qp_range: range,
    targets: Targets,
    settings: SearchSettings | None = None,
    *,
    start: int | None = None,
    expected: Expected | None = None,
    best_effort: bool = False,
) -> Answer:
    """The highest QP of `qp_range` that meets `targets`: `steps`, driven by a callable."""
    walk = steps(qp_range, targets, settings, start=start, expected=expected, best_effort=best_effort)
    try:
        qp = next(walk)
        while True:
            qp = walk.send(probe_at(qp))
    except StopIteration as end:
        answer: Answer = end.value
        return answer


def steps(
    qp_range: range,
    targets: Targets,
    settings: SearchSettings | None = None,
    *,
    start: int | None = None,
    expected: Expected | None = None,
    best_effort: bool = False,
) -> Steps:
    """The search as a generator: send it the probe of each QP it yields, once for each QP.

    `expected` are guessed curves over all of `qp_range`; where they do not tell of every target, the search
    begins at `start`, clipped into range. Targets that cannot be met give `chosen` None, or
    with `best_effort` the nearest rung that fits the byte limit, `met` False.
    """
    settings = settings or SearchSettings()
    rungs = rungs_of(qp_range, settings)
    log = _Log(targets, settings.max_bytes)
    if settings.method == "exhaustive":
        for qp in rungs:
            yield from log.at(qp)
    else:
        yield from _narrow(log, rungs, _Guessing(qp_range, settings.tolerance, start, expected or {}))
    met = [probe for probe in log.probes if meets(probe.score, targets)]
    best = max((probe for probe in met if log.fits(probe)), key=lambda probe: probe.qp, default=None)
    if best is not None:
        return Answer(log.probes, best, True, _binding_at(best, log, rungs))
    if not log.probes:
        return Answer((), None, False, "range")
    binding: Binding = "max_bytes" if met else _tightest(log.lowest().score, targets)
    chosen = (yield from _nearest(log, rungs, any_met=bool(met))) if best_effort else None
    return Answer(log.probes, chosen, False, binding)


class _Log:
    """Probes in the order tried, each QP asked for once."""

    def __init__(self, targets: Targets, max_bytes: int | None) -> None:
        self.targets = targets
        self._max_bytes = max_bytes
        self._by_qp: dict[int, Probe | None] = {}

    def at(self, qp: int) -> Generator[int, Probe | None, Probe | None]:
        if qp not in self._by_qp:
            self._by_qp[qp] = yield qp
        return self._by_qp[qp]

    def fits(self, probe: Probe) -> bool:
        return self._max_bytes is None or probe.n_bytes <= self._max_bytes

    @property
    def probes(self) -> tuple[Probe, ...]:
        return tuple(probe for probe in self._by_qp.values() if probe is not None)

    @property
    def n_asked(self) -> int:
        return len(self._by_qp)

    def lowest(self) -> Probe:
        return min(self.probes, key=lambda probe: probe.qp)

    def next_above(self, qp: int) -> Probe | None:
        above = [probe for probe in self.probes if probe.qp > qp]
        return min(above, key=lambda probe: probe.qp, default=None)


@dataclass(frozen=True)
class _Guessing:
    """Where the answer lies, as far as is known."""

    qp_range: range
    tolerance: float
    start: int | None
    expected: Expected

    def __call__(self, log: _Log, middle: int) -> int:
        """The highest QP that meets the targets; `start`, and then the `middle`, where nothing tells.

        With a tolerance, one in the middle of what it allows, where there is a rung.
        """
        probed = {probe.qp: _judged(probe.score, log.targets) for probe in log.probes}
        asked = wanted(log.targets)
        if not probed and not asked.keys() <= self.expected.keys():
            return middle if self.start is None or log.n_asked else self.start
        highest = math.floor(crossing(probed, asked, self.qp_range, 0.0, self.expected))
        if not self.tolerance:
            return highest
        within = crossing(probed, asked, self.qp_range, self.tolerance / 2, self.expected)
        return min(highest, round(within))


def _narrow(log: _Log, rungs: range, guessing: _Guessing) -> Generator[int, Probe | None, None]:
    """Narrow the bracket until it closes: `below` is met and `above` fails, or they stand outside the range.

    A rung that cannot be made counts as `below`.
    """
    below, above = rungs[0] - 1, rungs[-1] + 1
    budget = most_encodes(len(rungs))
    while above - below > 1:
        guess = guessing(log, (below + above) // 2)
        # After this probe either side must still be decidable with what is left of the budget.
        budget -= 1
        reach = 2**budget
        qp = min(max(guess, above - reach, below + 1), below + reach, above - 1)
        probe = yield from log.at(qp)
        if probe is None:
            below = qp
        elif meets(probe.score, log.targets):
            below = qp
            if guessing.tolerance > 0 and _overshoot(probe.score, log.targets) <= guessing.tolerance:
                return
        else:
            above = qp


def _overshoot(score: Score, targets: Targets) -> float:
    """By how much the binding ratio of a met rung exceeds its target; infinite without targets."""
    return min(margins(score, targets).values(), default=math.inf)


def _tightest(score: Score, targets: Targets) -> Binding:
    left = margins(score, targets)
    return min(left, key=lambda name: left[name])


def _binding_at(best: Probe, log: _Log, rungs: range) -> Binding:
    """What the next rung up fails; where it was not probed, the target with the smaller margin."""
    if best.qp == rungs[-1]:
        return "range"
    above = log.next_above(best.qp)
    if above is None:
        return _tightest(best.score, log.targets)
    return _tightest(above.score, log.targets) if not meets(above.score, log.targets) else "max_bytes"


def _nearest(log: _Log, rungs: range, *, any_met: bool) -> Generator[int, Probe | None, Probe | None]:
    """The rung to fall back on: never above the byte limit.

    Where the bytes alone are in the way, the lowest QP within them; else the probed rung with the smallest
    shortfall, the larger QP where two are equal.
    """
    fitting = [probe for probe in log.probes if log.fits(probe)]
    if any_met or not fitting:
        return (yield from _lowest_fitting(log, rungs))

    def distance(probe: Probe) -> tuple[float, float, int]:
        missing = [max(0.0, -margin) for margin in margins(probe.score, log.targets).values()]
        return max(missing), sum(missing), -probe.qp

    return min(fitting, key=distance)


def _lowest_fitting(log: _Log, rungs: range) -> Generator[int, Probe | None, Probe | None]:
    """The lowest QP within the byte limit, by bisection on size where not every rung is known.

    None where even the last rung is too large.
    """
    if log.n_asked == len(rungs):
        return min(
            (probe for probe in log.probes if log.fits(probe)), key=lambda probe: probe.qp, default=None
        )
    low, high = rungs[0], rungs[-1]
    best = yield from log.at(high)
    if best is None or not log.fits(best):
        return None
    while low < high:
        middle = (low + high) // 2
        probe = yield from log.at(middle)
        if probe is not None and log.fits(probe):
            best, high = probe, middle
        else:
            low = middle + 1
    return best
