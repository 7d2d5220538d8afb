"""Margins of a model's predictions, calibrated on the outcomes of whole picks: `risk.json` beside its graph.

One row for each codec, kind of targets and risk. `benchmarks/risk.py` makes the file and says how.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sursmr_codec.asked import Targets
from sursmr_codec.errors import UsageError
from sursmr_codec.risk import Margins, Misses

SCHEMA = "sursmr-qp/risk/1"
USUAL_RISK = 0.1
"""Which is proposed where a codec has margins for it, else the nearest that has them."""


@dataclass(frozen=True)
class RiskTable:
    """The margins of one model."""

    margins: Mapping[tuple[str, str], Sequence[tuple[float, Margins]]] = field(default_factory=dict)
    """Codec and kind of targets -> risks, rising, with their margins."""
    calibrated: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """`sur` and `smr` -> lowest and highest target that the margins were calibrated for."""
    misses: Mapping[tuple[str, str], Misses] = field(default_factory=dict)
    """Codec and kind of targets -> what picks without a risk do at the default targets."""

    def at(self, codec: str, kind: str, targets: Targets) -> Margins:
        """The margins for the risk of `targets`, which is set.

        Between two risks of the file, the logarithms lie on a straight line. Raises UsageError for a codec
        that has no margins, and for targets and risks outside those that were calibrated.
        """
        risk = targets.risk or 0.0
        lowest, highest = self._risks(codec, kind, targets)
        known_risks = self.margins[codec, kind]
        if not lowest <= risk <= highest:
            within = f"be {lowest:g}" if lowest == highest else f"lie in {lowest:g}..{highest:g}"
            raise UsageError(
                f"with these targets of {codec}, risk must {within}, for which there are margins; "
                f"not {risk:g}"
            )
        below = max((one for one in known_risks if one[0] <= risk), key=lambda one: one[0])
        above = min((one for one in known_risks if one[0] >= risk), key=lambda one: one[0])
        share = 0.0 if above[0] == below[0] else (risk - below[0]) / (above[0] - below[0])

        def between(low: float, high: float) -> float:
            return math.exp((1.0 - share) * math.log(low) + share * math.log(high))

        return Margins(between(below[1].sur, above[1].sur), between(below[1].smr, above[1].smr))

    def without_risk(self, codec: str, kind: str, targets: Targets) -> Misses | None:
        """What picks do where no risk is set; None where that was not measured."""
        found = self.misses.get((codec, kind))
        if found is None:
            return None
        usual = Targets()
        asked = [name for name in ("sur", "smr") if getattr(targets, name) > 0]
        if any(getattr(targets, name) != getattr(usual, name) for name in asked):
            at = ", ".join(f"{name.upper()} {getattr(usual, name):g}" for name in asked)
            found = replace(found, at=at)
        try:
            lowest, highest = self._risks(codec, kind, targets)
        except UsageError:
            return found
        return replace(found, risk=min(max(lowest, USUAL_RISK), highest))

    def _risks(self, codec: str, kind: str, targets: Targets) -> tuple[float, float]:
        """The smallest and the largest that can be asked for; raises UsageError where none can."""
        for name, (low, high) in self.calibrated.items():
            target = getattr(targets, name)
            if target > 0 and not low <= target <= high:
                raise UsageError(
                    f"with --risk, a target of {name.upper()} must lie in {low:g}..{high:g}, where picks "
                    f"were looked at; not {target:g}"
                )
        if (codec, kind) not in self.margins:
            known = ", ".join(sorted({one for one, its in self.margins if its == kind})) or "none"
            raise UsageError(
                f"there are no margins for {codec} with these targets and machines (there are for: {known}); "
                "leave out --risk, or take --predictor measured"
            )
        known_risks = self.margins[codec, kind]
        return known_risks[0][0], known_risks[-1][0]


def kind_of(targets: Targets, jury: str) -> str:
    """Which targets are asked together: `sur`, a column of SMR, both with a `+`, or nothing."""
    smr = "smr" if jury == "all" else f"smr_{jury}"
    return "+".join(name for name, asked in (("sur", targets.sur), (smr, targets.smr)) if asked > 0)


def read(path: Path, sha256: str) -> RiskTable | None:
    """The table of the model with that digest; None where the file is absent or another model's.

    Raises UsageError for a file that is no such table.
    """
    try:
        said: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if said["model"]["sha256"] != sha256:
            return None
        margins: dict[tuple[str, str], list[tuple[float, Margins]]] = {}
        for row in said["margins"]:
            found = margins.setdefault((row["codec"], row["kind"]), [])
            found.append((float(row["risk"]), Margins(float(row["sur"]), float(row["smr"]))))
        calibrated = {name: (float(some[0]), float(some[-1])) for name, some in said["targets"].items()}
        misses = {
            (row["codec"], row["kind"]): Misses(
                int(row["n_picks"]), float(row["missed_percent"]), float(row["mean_shortfall"])
            )
            for row in said["without_risk"]
        }
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} holds no margins of a model: {error!r}") from error
    ordered = {key: sorted(rows, key=lambda one: one[0]) for key, rows in margins.items()}
    return RiskTable(ordered, calibrated, misses)
