"""How many bytes do picks save on a folder, against what one would do without them?

question ─ events ─> asks (picks, rungs, searches) ─ crew ─> answers ─ compare ─> Result ─ record, summary
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sursmr_codec.bench.question import Question
    from sursmr_codec.bench.result import Result

__all__ = ["run"]


def run(question: Question) -> Result:
    """Answer a question, without progress; `bench.events.events` is the same with it.

    Raises UsageError, ImageError, UnavailableError.
    """
    from sursmr_codec.bench.events import events
    from sursmr_codec.bench.result import Result

    *_, result = events(question)
    assert isinstance(result, Result)  # the last event always is the result
    return result
