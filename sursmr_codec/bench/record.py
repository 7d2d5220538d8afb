"""The JSON record of a benchmark: every key always there, null where it does not apply."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from sursmr_codec.bench import bootstrap
from sursmr_codec.bench.asks import Judged, Picked
from sursmr_codec.bench.earlier import SCHEMA, Growth
from sursmr_codec.bench.gates import Gate, missed_percent
from sursmr_codec.bench.result import Compared, Comparison, Result
from sursmr_codec.search import margins
from sursmr_codec.types import PredictorSummary, Score, Targets
from sursmr_codec.version import __version__

Record = dict[str, Any]


def bench_record(result: Result, gates: Sequence[Gate], growths: Mapping[str, Growth]) -> Record:
    """The whole result, as `bench --json` prints it and `--out` writes it."""
    targets = result.question.targets
    return {
        "schema": SCHEMA,
        "version": __version__,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "cpu": platform.machine(),
            "n_cores": os.cpu_count(),
        },
        "settings": _settings(result),
        "truth": result.question.truth,
        "images": [_image(result, number) for number in range(len(result.images))],
        "totals": {codec: _totals(one, targets) for codec, one in result.by_codec.items()},
        "regression": {codec: asdict(growth) for codec, growth in growths.items()} or None,
        "gates": [asdict(gate) for gate in gates],
    }


def _settings(result: Result) -> Record:
    question = result.question
    return {
        "folder": question.folder,
        "limit": question.limit,
        "codecs": {codec: asdict(one.codec) for codec, one in result.by_codec.items()},
        "targets": asdict(question.targets),
        "search": asdict(question.search),
        "machines": question.jury,
        "predictor": _by(result.predictor),
        "judge": _by(result.judge),
        "baselines": [baseline.name for baseline in question.baselines],
        "oracle_step": question.oracle_step,
        "jobs": question.jobs,
        "bootstrap": {
            "repeats": bootstrap.REPEATS,
            "level": bootstrap.LEVEL,
            "seed": bootstrap.SEED,
        },
    }


def _by(summary: PredictorSummary) -> Record:
    return {"id": summary.id, "sha256": summary.sha256, "protocol": summary.protocol}


def _image(result: Result, number: int) -> Record:
    some = next(iter(result.by_codec.values())).picks[number]
    return {
        "path": result.images[number],
        "sha256": some.sha256,
        "width": some.width,
        "height": some.height,
        "n_bytes": some.source_bytes,
        "codecs": {
            codec: {
                "pick": _pick(comparison.picks[number], result.question.targets),
                "baselines": _baselines(comparison, number),
            }
            for codec, comparison in result.by_codec.items()
        },
    }


def _pick(pick: Picked, targets: Targets) -> Record:
    return {
        **_file(pick.file),
        "reachable": pick.reachable,
        "promised": {"sur": pick.promised.sur, "smr": pick.promised.smr},
        "shortfall": None if pick.file.met is None else shortfall(pick.file.truth, targets),
        "seconds": round(pick.seconds, 4),
    }


def _baselines(comparison: Comparison, number: int) -> Record | None:
    """Each baseline's file of an image; null where the image cannot be judged."""
    if number not in comparison.judged:
        return None
    place = comparison.judged.index(number)
    files = {one.name: one.files[place] if one.files else None for one in comparison.baselines}
    return {name: None if file is None else _file(file) for name, file in files.items()}


def _file(file: Judged) -> Record:
    return {
        "qp": file.qp,
        "n_bytes": file.n_bytes,
        "met": file.met,
        "sur": file.truth.sur,
        "smr": file.truth.smr,
        "n_encodes": file.n_encodes,
    }


def shortfall(truth: Score, targets: Targets) -> float:
    """By how much the target that is missed most is missed in truth; 0 where all are met.

    Truth has no intervals: a risk changes what is picked, not what a pick is held against.
    """
    return max([0.0, *(-margin for margin in margins(truth, replace(targets, risk=None)).values())])


def _shortfalls(files: Iterable[Judged | None], targets: Targets) -> list[float]:
    """Of the files that miss."""
    return [shortfall(file.truth, targets) for file in files if file is not None and file.met is False]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _totals(comparison: Comparison, targets: Targets) -> Record:
    picks = [comparison.picks[number] for number in comparison.judged]
    n_pixels = sum(pick.width * pick.height for pick in picks)
    written = sum(pick.file.n_bytes for pick in picks)
    missing = _shortfalls((pick.file for pick in picks), targets)
    missed = missed_percent(comparison)
    return {
        "n_images": len(picks),
        "n_unjudged": len(comparison.picks) - len(picks),
        "met_percent": 100.0 - missed,
        "missed_percent": missed,
        "unreachable_percent": 100.0 * sum(not pick.reachable for pick in picks) / len(picks),
        "shortfall_mean": _mean(missing),
        "shortfall_largest": max(missing, default=None),
        "n_bytes": written,
        "bpp": 8.0 * written / n_pixels,
        "n_encodes_mean": sum(pick.file.n_encodes for pick in picks) / len(picks),
        "seconds_mean": round(sum(pick.seconds for pick in picks) / len(picks), 4),
        "saved_percent": {one.name: one.saved_percent for one in comparison.baselines},
        "saved_interval": {one.name: one.interval for one in comparison.baselines},
        "oracle_percent": comparison.oracle_percent,
        "baselines": {one.name: _compared(one, targets) for one in comparison.baselines},
    }


def _compared(one: Compared, targets: Targets) -> Record:
    return {
        "setting": one.setting,
        "met_percent": one.met_percent,
        "shortfall_mean": _mean(_shortfalls(one.files, targets)),
        "n_bytes": sum(file.n_bytes for file in one.files if file is not None) if one.files else None,
        "n_bytes_compared": one.n_bytes_compared,
        "n_encodes_mean": one.n_encodes_mean,
    }
