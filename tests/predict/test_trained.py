"""The trained predictor: what it scores, what it says of itself, and which options it refuses."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_model import TINY, make_model

from sursmr_codec import codecs, curves, predict
from sursmr_codec.errors import UnavailableError, UsageError
from sursmr_codec.labels import protocols
from sursmr_codec.ladder import Ladder
from sursmr_codec.predict.torch import TorchNetwork
from sursmr_codec.predict.trained import WINDOW, Trained
from sursmr_codec.types import Rung, Score, Source, Targets


@pytest.fixture(scope="module")
def source() -> Source:
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Source.from_array(np.kron(coarse, np.ones((12, 12, 1), np.uint8)))


@pytest.fixture(scope="module")
def rungs(source: Source) -> list[Rung]:
    ladder = Ladder(source, codecs.get("jpeg"))
    return [ladder[qp] for qp in (5, 50, 95)]


def test_scores_do_not_depend_on_company(model: Path, source: Source, rungs: list[Rung]) -> None:
    trained = Trained(model)
    together = trained.score(trained.embed(source), rungs)
    alone = [trained.score(trained.embed(source), [rung])[0] for rung in reversed(rungs)]
    assert together == alone[::-1]
    for score in together:
        ratios = [score.sur, score.smr, score.smr_classification, score.smr_detection]
        assert all(ratio is not None and 0.0 <= ratio <= 1.0 for ratio in ratios)
    assert len({score.sur for score in together}) == 3


def test_the_protocol_turns_predicted_scores_into_sur(model: Path, source: Source, rungs: list[Rung]) -> None:
    found = {}
    for protocol in ("calibrated", "flicker"):
        trained = Trained(model, protocol=protocol)
        (score,) = trained.score(trained.embed(source), rungs[1:2])
        assert score.evidence is not None
        curves = protocols.load(protocol).curves
        shown = score.evidence.teachers
        assert set(shown) == set(curves) & {"cvvdp", "ssimulacra2"}
        for teacher, (number, sur) in shown.items():
            assert sur == pytest.approx(curves[teacher].sur(number))
        assert score.sur == pytest.approx(np.mean([sur for _, sur in shown.values()]))
        found[protocol] = (score.sur, {teacher: number for teacher, (number, _) in shown.items()})
        assert trained.summary().protocol.startswith(f"{protocol}/")
    assert found["calibrated"][0] != found["flicker"][0]
    assert found["calibrated"][1] == found["flicker"][1]


def test_sur_is_what_the_graph_itself_says_under_its_own_protocol(
    model: Path, source: Source, rungs: list[Rung]
) -> None:
    trained = Trained(model)
    (score,) = trained.score(trained.embed(source), rungs[:1])
    network = trained._network
    ratios = network.compare(network.embed(trained.views(source.rgb)), trained.views(rungs[0].decoded))[
        "ratios"
    ]
    assert score.sur == pytest.approx(float(ratios[0, 0]), abs=1e-5)
    assert score.smr == pytest.approx(float(ratios[0, 1]))


def test_a_large_picture_is_looked_at_in_more_places(model: Path) -> None:
    trained, accurate = Trained(model), Trained(model, accurate=True)
    for side, expected, most in ((16, 2, 2), (32, 2, 2), (64, 2, 3), (160, 2, 11), (1000, 2, 17)):
        rgb = np.zeros((side, side, 3), np.uint8)
        assert trained.views(rgb).shape == (1, expected, 3, 32, 32), side
        assert accurate.views(rgb).shape[1] == most, side
    large = Source.from_array(np.random.default_rng(0).integers(0, 256, (200, 100, 3), dtype=np.uint8))
    rung = Rung("jpeg", 1, b"x", large.rgb // 2)
    scores = [one.score(one.embed(large), [rung])[0] for one in (trained, accurate)]
    assert scores[0].smr != scores[1].smr


def test_viewers_look_at_the_pixels_of_a_large_picture(model: Path) -> None:
    trained = Trained(model)
    generator = np.random.default_rng(0)
    rgb = generator.integers(0, 256, (600, 900, 3), dtype=np.uint8)
    noisy = rgb // 2 + generator.integers(0, 20, rgb.shape, dtype=np.uint8)
    top, left = round((600 - WINDOW) / 2), round((900 - WINDOW) / 2)
    middle = slice(top, top + WINDOW), slice(left, left + WINDOW)

    def score(source: np.ndarray, rung: np.ndarray) -> Score:
        embedding = trained.embed(Source.from_array(np.ascontiguousarray(source)))
        return trained.score(embedding, [Rung("jpeg", 9, b"x", np.ascontiguousarray(rung))])[0]

    whole, part = score(rgb, noisy), score(rgb[middle], noisy[middle])
    assert whole.sur == pytest.approx(part.sur, abs=1e-6)
    assert whole.smr != pytest.approx(part.smr, abs=1e-6)
    assert whole.evidence.teachers == part.evidence.teachers
    beside = noisy.copy()
    beside[:top] = rgb[:top]
    assert score(rgb, beside).sur == whole.sur
    accurate = Trained(model, accurate=True)
    embedding = accurate.embed(Source.from_array(rgb))
    assert len(embedding.windows) > 1
    (wide,) = accurate.score(embedding, [Rung("jpeg", 9, b"x", noisy)])
    assert wide.sur != whole.sur


def test_nobody_tells_a_picture_from_itself(model: Path, source: Source) -> None:
    trained = Trained(model)
    (score,) = trained.score(trained.embed(source), [Rung("jpeg", 0, b"x", source.rgb.copy())])
    assert (score.sur, score.smr, score.smr_classification, score.smr_detection) == (1.0, 1.0, 1.0, 1.0)


def test_one_other_pixel_anywhere_makes_another_picture(model: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (150, 40, 3), dtype=np.uint8)
    trained = Trained(model)
    embedding = trained.embed(Source.from_array(rgb))
    for row in (0, 63, 64, 149):
        other = rgb.copy()
        other[row, 7, 1] ^= 1
        (score,) = trained.score(embedding, [Rung("jpeg", 0, b"x", other)])
        assert score.sur < 1.0, row


def test_margins_are_not_for_other_predictions(tmp_path: Path) -> None:
    risk = Targets(0.75, 0.0, 0.1)
    trained, accurate = Trained(), Trained(accurate=True)
    assert trained.margins("jpeg", risk, "all").sur > 1.0
    assert trained.misses("jpeg", Targets(0.75, 0.0), "all") is not None
    with pytest.raises(UsageError, match="calibrated without --accurate"):
        accurate.margins("jpeg", risk, "all")
    assert accurate.misses("jpeg", Targets(0.75, 0.0), "all") is None


def test_few_counting_machines_are_said(model: Path, source: Source, rungs: list[Rung]) -> None:
    trained = Trained(model)
    embedding = trained.embed(source)
    assert trained.warnings(embedding) == ()
    trained.score(embedding, rungs[:1])
    assert embedding.n_counting is not None
    assert 0.0 < embedding.n_counting < 3.0
    (line,) = trained.warnings(embedding)
    assert line.startswith(f"only {embedding.n_counting:.1f} machines are expected")
    embedding.n_counting = 5.0
    assert trained.warnings(embedding) == ()


def test_scored_files_come_with_what_their_scores_showed(model: Path, source: Source, tmp_path: Path) -> None:
    file = tmp_path / "rung.jpg"
    Image.fromarray(source.rgb).save(file, quality=30)
    found = curves.scored(source, [file, file], predictor=Trained(model))
    assert len(found.files) == 2
    assert any(line.startswith("only ") and "machines are expected" in line for line in found.warnings)
    assert curves.score(source, [file], predictor=Trained(model))[0].score == found.files[0].score


def test_teachers_that_are_not_predicted_are_said(
    model: Path, source: Source, rungs: list[Rung], tmp_path: Path
) -> None:
    trained = Trained(model, protocol="flicker")
    assert trained.summary().protocol == "flicker/cvvdp+ssimulacra2, predicted"
    (line,) = trained.warnings(trained.embed(source))
    assert line == "model tiny does not predict vmaf, so SUR rests on cvvdp, ssimulacra2 alone"
    mine = tmp_path / "mine.toml"
    mine.write_text(
        '[mine]\ndescription = "Mine."\n'
        '[mine.vmaf]\nkind = "normal"\nmedian = 90\nspread = 5\nsource = "Me."\n'
    )
    with pytest.raises(UsageError, match="model tiny predicts none of vmaf, on which protocol mine rests"):
        Trained(model, protocol=str(mine))


def test_a_model_without_machines_meets_no_machine_target(tmp_path: Path, source: Source) -> None:
    config = replace(TINY, ratios=("sur",), classifiers=(), detectors=())
    trained = Trained(make_model(tmp_path / "viewers", config))
    with pytest.raises(UsageError, match="does not predict SMR; take --smr 0"):
        trained.check(Targets(0.5, 0.5))
    trained.check(Targets(0.5, 0.0))
    (score,) = trained.score(trained.embed(source), [Rung("jpeg", 1, b"x", 255 - source.rgb)])
    assert score.smr is None
    assert score.sur is not None


def test_torch_and_onnx_runtime_agree(model: Path, source: Source, rungs: list[Rung]) -> None:
    trained, network = Trained(model), TorchNetwork(model / "model.safetensors", "cpu")
    graph = trained._network
    assert graph.config == network.config
    views = np.concatenate([trained.views(rung.decoded) for rung in rungs])
    expected = graph.compare(graph.embed(trained.views(source.rgb)), views)
    found = network.compare(network.embed(trained.views(source.rgb)), views)
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=2e-3, atol=2e-3)


def test_torch_works_from_the_graph_where_that_is_all_there_is(
    model: Path, tmp_path: Path, source: Source, rungs: list[Rung], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(model, tmp_path / "wheel")
    (tmp_path / "wheel" / "model.safetensors").unlink()
    # No GPU is needed to see where the weights come from.
    monkeypatch.setattr("sursmr_codec.predict.torch.TorchNetwork", lambda path, _: TorchNetwork(path, "cpu"))
    whole, wheel = (Trained(folder, device="cuda") for folder in (model, tmp_path / "wheel"))
    assert wheel.score(wheel.embed(source), rungs) == whole.score(whole.embed(source), rungs)


def test_without_a_gpu_cuda_is_refused(model: Path) -> None:
    import torch

    if torch.cuda.is_available():
        assert Trained(model, device="cuda").id == "tiny"
        return
    with pytest.raises(UnavailableError, match="no GPU here; take --device cpu"):
        predict.load("trained", model=model, device="cuda")


def test_measuring_has_neither_model_nor_device() -> None:
    for options in ({"model": "x"}, {"device": "cuda"}, {"accurate": True}):
        with pytest.raises(UsageError, match="not for measuring"):
            predict.load("measured", **options)
    with pytest.raises(UsageError, match="known: trained, measured"):
        predict.load("guessed")
