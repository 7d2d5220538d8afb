"""What a label table was made with that its columns do not say; kept with the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Origin:
    """What decides the meaning of a table's ratios."""

    unseen: tuple[str, ...] = ()
    """Machines that are kept from training, in order of name; they vote in `smr_unseen` alone."""
    proxy: Mapping[str, str] = field(default_factory=dict)
    """Metrics behind `sur_proxy`: id -> library and version; empty where nobody measured any."""
