"""Which sources train and which test: by source, so that no picture is on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

SHARES = (("train", 7), ("val", 1), ("test", 2))
"""The paper's 7:1:2."""


def by_source(sources: Iterable[str]) -> dict[str, str]:
    """Source -> `train`, `val` or `test`, in the shares of the paper; the same for the same set of sources.

    The order of a hash of the names decides, as the order of publication may follow the content.
    """
    ranked = sorted(set(sources), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    whole = sum(share for _, share in SHARES)
    splits, begin, upto = {}, 0, 0
    for split, share in SHARES:
        upto += share
        end = round(len(ranked) * upto / whole)
        splits.update(dict.fromkeys(ranked[begin:end], split))
        begin = end
    return splits
