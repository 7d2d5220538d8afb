"""Full-reference metrics that stand in for viewers, one file each."""

from __future__ import annotations

from sursmr_codec.errors import UsageError
from sursmr_codec.labels.teachers import by_pyiqa
from sursmr_codec.labels.teachers.base import Teacher
from sursmr_codec.labels.teachers.cvvdp import Cvvdp
from sursmr_codec.labels.teachers.fsim import Fsim
from sursmr_codec.labels.teachers.gmsd import Gmsd
from sursmr_codec.labels.teachers.ms_ssim import MsSsim
from sursmr_codec.labels.teachers.ssim import Ssim
from sursmr_codec.labels.teachers.ssimulacra2 import Ssimulacra2
from sursmr_codec.labels.teachers.vmaf import Vmaf, VmafNeg

__all__ = ["PAPER", "TEACHERS", "Teacher", "get", "known"]

TEACHERS: dict[str, type[Teacher]] = {
    teacher.id: teacher
    for teacher in (
        Cvvdp,
        Ssimulacra2,
        Vmaf,
        VmafNeg,
        Ssim,
        MsSsim,
        Fsim,
        Gmsd,
    )
}
"""Teachers that work without a network, by id."""
PAPER = tuple(by_pyiqa.PAPER)
"""Ids of the paper's 14 metrics, through pyiqa."""


def known(teacher_id: str) -> type[Teacher]:
    """The class of a teacher, without making one; raises UsageError naming the known ids."""
    if teacher_id in by_pyiqa.PAPER:
        return by_pyiqa.PAPER[teacher_id]
    if teacher_id not in TEACHERS:
        raise UsageError(f"unknown teacher {teacher_id}; known: {', '.join(sorted([*TEACHERS, *PAPER]))}")
    return TEACHERS[teacher_id]


def get(teacher_id: str, *, downloads: bool | None = None) -> Teacher:
    """The teacher of that id, its library not yet loaded.

    `downloads` allows those of pyiqa to fetch their weights; by default the environment variable
    SURSMR_ALLOW_DOWNLOADS says so. Raises UsageError for an unknown id or a download that was not allowed.
    """
    kind = known(teacher_id)
    if teacher_id in by_pyiqa.PAPER:
        return by_pyiqa.get(teacher_id, downloads=downloads)
    return kind()
