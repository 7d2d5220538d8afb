"""Full-reference metrics that stand in for viewers, one file each."""

from __future__ import annotations

from sursmr_codec.errors import UsageError
from sursmr_codec.labels.teachers.base import Teacher
from sursmr_codec.labels.teachers.cvvdp import Cvvdp
from sursmr_codec.labels.teachers.ssimulacra2 import Ssimulacra2

__all__ = ["TEACHERS", "Teacher", "get"]

TEACHERS: dict[str, type[Teacher]] = {teacher.id: teacher for teacher in (Cvvdp, Ssimulacra2)}


def get(teacher_id: str) -> Teacher:
    """The teacher of that id; raises UsageError naming the known ones."""
    if teacher_id not in TEACHERS:
        raise UsageError(f"unknown teacher {teacher_id}; known: {', '.join(sorted(TEACHERS))}")
    return TEACHERS[teacher_id]()
