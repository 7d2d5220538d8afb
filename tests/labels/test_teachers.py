"""Every teacher under the contract, and each against its named implementation."""

from __future__ import annotations

import inspect
import math
import pkgutil
from importlib import import_module

import numpy as np
import pytest
from numpy.typing import NDArray

from sursmr_codec import codecs, images
from sursmr_codec.errors import MissingExtra, UsageError
from sursmr_codec.labels import teachers
from sursmr_codec.labels.teachers import TEACHERS, Teacher, by_pyiqa
from sursmr_codec.ladder import Ladder
from sursmr_codec.types import Source

# libvmaf's features depend a little on the content even of identical pictures.
IDENTITY_TOLERANCE = {"vmaf": 0.01, "vmaf_neg": 0.01}


@pytest.fixture(scope="module")
def photo(kodim23) -> Source:
    return Source.from_array(images.read(kodim23).rgb[60:240, 280:480])


@pytest.fixture(scope="module")
def ladder(photo) -> dict[int, NDArray[np.uint8]]:
    rungs = Ladder(photo, codecs.get("jpeg"))
    return {qp: rungs[qp].decoded for qp in (5, 30, 50, 60, 95)}


@pytest.mark.parametrize("teacher_id", sorted(TEACHERS))
def test_scores_worsen_as_qp_rises_and_are_best_at_identity(photo, ladder, teacher_id):
    teacher = teachers.get(teacher_id)
    scores = [teacher.score(photo.rgb, decoded) for decoded in ladder.values()]
    assert scores == sorted(scores, reverse=teacher.higher_is_better)
    assert len(set(scores)) == len(scores)
    worst, best = teacher.score_range
    assert (best > worst) == teacher.higher_is_better
    assert all(min(worst, best) <= score <= max(worst, best) for score in scores)
    identical = teacher.score(photo.rgb, photo.rgb)
    assert identical == pytest.approx(best, abs=IDENTITY_TOLERANCE.get(teacher_id, 1e-3))


@pytest.mark.parametrize("teacher_id", sorted(TEACHERS))
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (17, 9)])
def test_tiny_pictures_have_scores(teacher_id, shape):
    reference = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert math.isfinite(teachers.get(teacher_id).score(reference, 255 - reference))


@pytest.mark.parametrize("teacher_id", sorted(TEACHERS))
def test_versions_name_the_library(teacher_id):
    line = teachers.get(teacher_id).version()
    assert teacher_id in line
    assert any(character.isdigit() for character in line.replace(teacher_id, ""))


def test_every_teacher_of_the_package_is_registered():
    found = set()
    for module in pkgutil.iter_modules(teachers.__path__, f"{teachers.__name__}."):
        for kind in vars(import_module(module.name)).values():
            if inspect.isclass(kind) and issubclass(kind, Teacher) and not inspect.isabstract(kind):
                found.add(kind)
    assert found - {by_pyiqa.PyiqaTeacher} == {*TEACHERS.values()}


def test_unknown_teachers_list_the_known_ones():
    with pytest.raises(UsageError, match=r"gmsd.*pyiqa:lpips.*vmaf"):
        teachers.get("nonsense")
    with pytest.raises(UsageError, match="pyiqa:nonsense"):
        teachers.get("pyiqa:nonsense")


@pytest.mark.parametrize("teacher_id", ["ssim", "ms_ssim", "fsim", "gmsd"])
def test_without_piq_the_extra_is_named(monkeypatch, teacher_id):
    monkeypatch.setattr(TEACHERS[teacher_id], "installed", classmethod(lambda _: False))
    with pytest.raises(MissingExtra, match=r"sursmr-qp\[iqa\]"):
        teachers.get(teacher_id).score(np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16, 3), np.uint8))


def luma(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    return rgb.astype(np.float64) @ np.array([0.299, 0.587, 0.114])


def test_ssim_equals_the_papers_formula(photo, ladder):
    """scipy's Gaussian window on 0..255 luma, borders left out; piq works in float32: 1e-5."""
    from scipy.ndimage import correlate1d

    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    taps /= taps.sum()

    def blurred(plane):
        return correlate1d(correlate1d(plane, taps, 0), taps, 1)[5:-5, 5:-5]

    x, y = luma(photo.rgb), luma(ladder[50])
    mean_x, mean_y = blurred(x), blurred(y)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    variances = blurred(x * x) - mean_x**2 + blurred(y * y) - mean_y**2
    covariance = blurred(x * y) - mean_x * mean_y
    contrast = (2 * covariance + c2) / (variances + c2)
    wanted = np.mean((2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1) * contrast)
    assert teachers.get("ssim").score(photo.rgb, ladder[50]) == pytest.approx(wanted, abs=1e-5)


def test_gmsd_equals_the_papers_formula(photo, ladder):
    """2x2 means of 0..255 luma, Prewitt gradients with zeros around, c = 170; float32 in piq: 1e-5."""
    from scipy.ndimage import correlate

    prewitt = np.array([[1.0, 0, -1]] * 3) / 3

    def gradient(rgb):
        plane = luma(rgb)
        halved = (plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) / 4
        return np.hypot(
            correlate(halved, prewitt, mode="constant"), correlate(halved, prewitt.T, mode="constant")
        )

    one, two = gradient(photo.rgb), gradient(ladder[50])
    wanted = np.std((2 * one * two + 170) / (one**2 + two**2 + 170))
    assert teachers.get("gmsd").score(photo.rgb, ladder[50]) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize(
    ("teacher_id", "call"),
    [
        ("ms_ssim", lambda piq, x, y: piq.multi_scale_ssim(x, y, data_range=255)),
        ("fsim", lambda piq, x, y: piq.fsim(x, y, data_range=255)),
    ],
)
def test_multi_scale_and_phase_metrics_equal_piq(photo, ladder, teacher_id, call):
    """piq itself on 0..255 tensors made here; another order of roundings: 1e-5."""
    import piq
    import torch

    def tensor(rgb):
        planes = luma(rgb)[..., None] if teacher_id == "ms_ssim" else rgb.astype(np.float64)
        return torch.tensor(planes.transpose(2, 0, 1)[None], dtype=torch.float32).clamp(0, 255)

    wanted = float(call(piq, tensor(ladder[50]), tensor(photo.rgb)))
    assert teachers.get(teacher_id).score(photo.rgb, ladder[50]) == pytest.approx(wanted, abs=1e-5)


def test_cvvdp_equals_its_library(photo, ladder):
    """pycvvdp itself on float tensors made here, channels first: 1e-3 JOD."""
    torch, pycvvdp = pytest.importorskip("torch"), pytest.importorskip("pycvvdp")
    metric = pycvvdp.cvvdp(display_name="standard_fhd", quiet=True, device=torch.device("cpu"))

    def tensor(rgb):
        return torch.tensor(rgb.astype(np.float32) / 255).permute(2, 0, 1)

    with torch.no_grad():
        wanted, _ = metric.predict(tensor(ladder[60]), tensor(photo.rgb), dim_order="CHW")
    assert teachers.get("cvvdp").score(photo.rgb, ladder[60]) == pytest.approx(float(wanted), abs=1e-3)


def test_ssimulacra2_equals_its_library_on_files(photo, ladder, tmp_path):
    """The library's own reading of two PNGs: equal."""
    from PIL import Image
    from ssimulacra2 import compute_ssimulacra2

    Image.fromarray(photo.rgb).save(tmp_path / "reference.png")
    Image.fromarray(ladder[60]).save(tmp_path / "distorted.png")
    wanted = compute_ssimulacra2(str(tmp_path / "reference.png"), str(tmp_path / "distorted.png"))
    assert teachers.get("ssimulacra2").score(photo.rgb, ladder[60]) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(
    ("teacher_id", "scores", "tolerance"),
    [
        ("cvvdp", {30: 9.6630, 60: 9.3365}, 2e-3),
        ("ssimulacra2", {30: 82.2077, 60: 73.6693}, 0.02),
    ],
)
def test_scores_are_those_that_labels_were_made_with(photo, ladder, teacher_id, scores, tolerance):
    """Stored values of cvvdp 0.5.7 and ssimulacra2 0.3.0: a version with others makes other labels."""
    found = {qp: teachers.get(teacher_id).score(photo.rgb, ladder[qp]) for qp in scores}
    assert found == pytest.approx(scores, abs=tolerance)


def test_vmaf_equals_its_library_on_files(photo, ladder, tmp_path):
    """ffmpeg's libvmaf filter on two PNGs under the same colour conversion: equal to its six digits."""
    import re
    import subprocess

    import imageio_ffmpeg
    from PIL import Image

    Image.fromarray(photo.rgb).save(tmp_path / "reference.png")
    Image.fromarray(ladder[50]).save(tmp_path / "distorted.png")
    luma709 = (
        "scale=out_color_matrix=bt709:out_range=limited:flags=accurate_rnd+full_chroma_int,format=yuv444p"
    )
    done = subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(),
            *("-i", tmp_path / "distorted.png", "-i", tmp_path / "reference.png", "-filter_complex"),
            f"[0:v]{luma709}[d];[1:v]{luma709}[r];[d][r]libvmaf",
            *("-f", "null", "-"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    wanted = float(re.search(r"VMAF score: ([\d.]+)", done.stderr)[1])
    assert teachers.get("vmaf").score(photo.rgb, ladder[50]) == wanted


def test_vmaf_of_identical_stills_is_the_known_value(kodim23):
    rgb = images.read(kodim23).rgb
    assert teachers.get("vmaf").score(rgb, rgb) == pytest.approx(97.43, abs=0.005)


def test_vmaf_neg_gives_nothing_for_sharpening(photo):
    from PIL import Image, ImageFilter

    sharpened = np.asarray(Image.fromarray(photo.rgb).filter(ImageFilter.UnsharpMask(2, 80, 0)))
    assert teachers.get("vmaf").score(photo.rgb, sharpened) > 99
    assert teachers.get("vmaf_neg").score(photo.rgb, sharpened) < 98


def test_cvvdp_keeps_nothing_for_gradients(photo: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    teacher = teachers.get("cvvdp")
    recording: list[bool] = []
    predict = teacher._metric.predict  # type: ignore[attr-defined]

    def watched(*arguments: object, **options: object) -> object:
        recording.append(torch.is_grad_enabled())
        return predict(*arguments, **options)

    monkeypatch.setattr(teacher._metric, "predict", watched)  # type: ignore[attr-defined]
    assert teacher.score(photo.rgb, photo.rgb) == pytest.approx(10.0, abs=1e-3)
    assert recording == [False]
    assert torch.is_grad_enabled()
