"""Tables of `bits.py`: what picks save, what they miss, and how near they come to the limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import Any

Record = dict[str, Any]

HEAD = (
    "codec",
    "asked",
    "miss",
    "by",
    "single QP by",
    "saved: setting of today",
    "best single QP",
    "SSIMULACRA2 search",
    "CVVDP search",
    "the oracle's saving",
)
SHORT = ((0.5, 0.8), (0.75, 0.9), (0.9, 0.95), (0.75, 0), (0, 0.9))
"""Targets, SUR and SMR, that the README shows; 0: off."""
WITH_HINDSIGHT = {
    "best-fixed": "the best single QP",
    "ssimulacra2": "the best threshold of SSIMULACRA2",
    "cvvdp": "the best threshold of CVVDP",
}
"""Baselines whose one setting is chosen for a folder, in the order of the columns."""
SHORT_HEAD = ("codec", "asked", "satisfied", "best single QP", "SSIMULACRA2 search", "CVVDP search")


def markdown(record: Record) -> str:
    """Every answered question, a table for each set of pictures."""
    parts = ["## Bits saved", _ABOUT]
    for name, part in record["parts"].items():
        n_images = max(one["n_images"] for _, one in _answers(part))
        parts.append(f"### {name}: {n_images} pictures with a truth")
        parts.append(table([HEAD, *rows(part)]))
    return "\n\n".join(parts) + "\n"


def short(record: Record) -> str:
    """The table of the README: the largest set of small pictures, and some of the targets."""
    name = max(record["parts"], key=lambda name: (name == "test", name.startswith("test,")))
    answers = [
        (codec, one) for codec, one in _answers(record["parts"][name]) if (one["sur"], one["smr"]) in SHORT
    ]
    lines = [
        (
            codec,
            asked(one),
            f"{one['met_percent']:.0f} %",
            *(_saved(one, baseline) for baseline in WITH_HINDSIGHT),
        )
        for codec, one in answers
    ]
    n_images = max(one["n_images"] for _, one in answers)
    return f"{table([SHORT_HEAD, *lines])}\n\n({n_images} pictures of {name}; [all]({_PAGE}))"


def reading(record: Record) -> str:
    """What the tables come to, in words: gains and losses, by how much is missed, and what the limit is."""
    every = [one for part in record["parts"].values() for _, one in _answers(part)]
    kinds = {
        "as predicted": [one for one in every if not one["risk"]],
        "with a risk": [one for one in every if one["risk"]],
    }
    return "\n".join([*_levels(kinds), *_shortfalls(every), *_limits(kinds)])


def _answers(part: Record) -> Iterator[tuple[str, Record]]:
    """Each answer of a set of pictures, with its codec."""
    for codec, of_codec in part["codecs"].items():
        for one in of_codec["results"]:
            yield codec, one


def _levels(kinds: Mapping[str, Sequence[Record]]) -> Iterator[str]:
    for name, words in WITH_HINDSIGHT.items():
        saved = {
            kind: [one["saved_percent"][name] for one in some if one["saved_percent"].get(name) is not None]
            for kind, some in kinds.items()
        }
        told = [f"{kind} {gains(values)}" for kind, values in saved.items() if values]
        if told:
            yield f"- Against {words}: {'; '.join(told)}."


def gains(saved: Sequence[float]) -> str:
    """How savings in percent come out, in words."""
    better = sum(one > 0 for one in saved)
    return (
        f"{better} of {len(saved)} rows are gains, from {min(saved):+.0f} % to {max(saved):+.0f} %, "
        f"{median(saved):+.1f} % at the median"
    )


def _shortfalls(every: Sequence[Record]) -> Iterator[str]:
    pairs = [(one["shortfall_mean"], one["baselines"]["best-fixed"].get("shortfall_mean")) for one in every]
    known = [(ours, theirs) for ours, theirs in pairs if ours is not None and theirs is not None]
    smaller = sum(ours < theirs for ours, theirs in known)
    if known:
        yield (
            f"- Picks that miss do so by {fmean(ours for ours, _ in known):.3f} on average, files of the "
            f"best single QP by {fmean(theirs for _, theirs in known):.3f}; by less in {smaller} of "
            f"{len(known)} rows."
        )


def _limits(kinds: Mapping[str, Sequence[Record]]) -> Iterator[str]:
    for kind, found in kinds.items():
        limits = [limit for limit in map(_limit, found) if limit is not None]
        if limits:
            yield (
                f"- {kind.capitalize()}, when {fmean(one['met_percent'] for one in found):.0f} % of the "
                "pictures are satisfied on average, knowing the truth of every file would save "
                f"{median(limits):.0f} % at the median against the best single QP."
            )


def rows(part: Record) -> Iterator[tuple[str, ...]]:
    """One row for each codec and target."""
    for codec, one in _answers(part):
        yield (codec, asked(one), *_numbers(one))


def asked(one: Record) -> str:
    """The targets, as people read them."""
    named = [f"{name} {one[name.lower()]:g}" for name in ("SUR", "SMR") if one[name.lower()]]
    return ", ".join([*named, f"risk {one['risk']:g}"] if one["risk"] else named)


def table(lines: Sequence[Sequence[str]]) -> str:
    """Markdown; the first line is the head."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (lines[0], ["---"] * len(lines[0]), *lines[1:]))


def _numbers(one: Record) -> Iterator[str]:
    yield f"{one['missed_percent']:.0f} %"
    for files in (one, one["baselines"].get("best-fixed", {})):
        yield "-" if files.get("shortfall_mean") is None else f"{files['shortfall_mean']:.3f}"
    everyday = [name for name in one["baselines"] if "=" in name]
    yield f"{_saved(one, everyday[0])} ({everyday[0]})" if everyday else "-"
    for name in WITH_HINDSIGHT:
        yield _saved(one, name)
    yield _oracle(one)


def _oracle(one: Record) -> str:
    """What the oracle saves against the best single QP, and how much of that picks do."""
    limit, part = _limit(one), one["oracle_percent"]
    if limit is None:
        return "-"
    reached = "none" if part is None or part < 0 else f"{part:.0f} %"
    return f"{limit:.0f} %, {reached} of it"


def _limit(one: Record) -> float | None:
    fixed, limit = (
        one["baselines"].get(name, {}).get("n_bytes_compared") for name in ("best-fixed", "oracle")
    )
    return 100 * (1 - limit / fixed) if fixed and limit else None


def _saved(one: Record, name: str) -> str:
    value, interval = one["saved_percent"].get(name), one["saved_interval"].get(name)
    if value is None:
        return "-"
    return f"{value:.1f} %" + (f" ({interval[0]:.0f}..{interval[1]:.0f})" if interval else "")


_PAGE = "benchmarks/README.md#bits-saved"
_ABOUT = """\
Bytes that picks save, in percent, with the 95 % interval of a bootstrap over pictures; negative numbers
are losses. Picks with a *risk* are held back by margins, as `--risk` does it. Every file was scored in
truth at its own QP, by the metrics and by every machine that votes. *miss* is the share of pictures whose
pick misses a target in truth, *by* how much it misses it then, on average, and by how much files of the best
single QP do. *Best single QP* and the searches have the one QP or threshold, chosen with hindsight,
at which as large a share of pictures meets the targets as picks reach; the setting of today stands at
whatever share it reaches. The oracle writes each picture's true highest QP: from the highest down, every QP
was tried, but for those above one at which SUR was measured to be more than 0.05 below its target; that SMR
rises again at a higher QP, as it does, is therefore seen. Its saving is over the best single QP, on the
pictures whose pick meets the targets; the others keep the bytes of the pick. So it tells how much knowing the
truth is worth at that share."""
