"""`pick` and `curve` from Python, over a codec and a predictor that count how often they are asked."""

from __future__ import annotations

import numpy as np
import pytest

from sursmr_codec import SearchSettings, Source, Targets, curve, pick, save
from sursmr_codec.codecs.base import Availability, Codec
from sursmr_codec.errors import DecodeError, EncodeError, TargetNotReachable, UnavailableError, UsageError
from sursmr_codec.picking import PickSettings, Probed, pick_events
from sursmr_codec.predict.base import Embedding, Predictor
from sursmr_codec.types import PredictorSummary, Score

PICTURE = Source.from_array(np.full((4, 6, 3), 100, np.uint8))


class CountingCodec(Codec):
    """The QP as that many bytes less than 100; decodes to a picture of the QP's value."""

    id = "counting"
    extension = ".count"
    qp_range = range(1, 51)

    def __init__(self) -> None:
        self.encoded: list[int] = []
        self.n_decoded = 0

    def encode(self, source, qp):
        self.encoded.append(qp)
        return bytes([qp]) * (100 - qp)

    def decode(self, data, width, height):
        self.n_decoded += 1
        return np.full((height, width, 3), data[0], np.uint8)

    def fingerprint(self):
        return "counting 1"

    def native(self, qp):
        return {"step": qp}

    def availability(self):
        return Availability(True)


class FallingPredictor(Predictor):
    """SUR falls by a hundredth a QP, SMR is 0.95 up to a QP and 0.5 above."""

    id = "falling"

    def __init__(self, last_good: int = 50, guess: int | None = None) -> None:
        self.last_good, self.guess = last_good, guess
        self.n_embedded = 0

    def embed(self, source):
        self.n_embedded += 1
        return Embedding()

    def score(self, embedding, rungs):
        return [
            Score(1 - rung.qp / 100, 0.95 if rung.qp <= self.last_good else 0.5, 0.2, 0.3) for rung in rungs
        ]

    def summary(self):
        return PredictorSummary(self.id, None, "test")

    def start(self, embedding, codec, targets):
        return self.guess


def test_the_highest_qp_that_meets_both():
    codec = CountingCodec()
    assert pick(PICTURE, Targets(0.75, 0.9), codec=codec, predictor=FallingPredictor()).qp == 25
    found = pick(PICTURE, Targets(0.75, 0.9), codec=codec, predictor=FallingPredictor(last_good=12))
    assert (found.qp, found.binding, found.encoded) == (12, "smr", bytes([12]) * 88)
    assert found.native == {"step": 12}


def test_each_rung_is_encoded_decoded_and_embedded_once():
    codec, predictor = CountingCodec(), FallingPredictor()
    found = pick(PICTURE, codec=codec, predictor=predictor)
    assert len(codec.encoded) == len(set(codec.encoded)) == found.n_encodes == codec.n_decoded
    assert predictor.n_embedded == 1


def test_the_predictors_guess_saves_encodes():
    cold, warm = CountingCodec(), CountingCodec()
    targets = Targets(sur=0.85)
    assert pick(PICTURE, targets, codec=cold, predictor=FallingPredictor()).qp == 15
    assert pick(PICTURE, targets, codec=warm, predictor=FallingPredictor(guess=15)).qp == 15
    assert len(warm.encoded) == 2 < len(cold.encoded)


def test_unreachable_raises_and_carries_what_was_tried():
    with pytest.raises(TargetNotReachable, match=r"SMR 0\.99") as caught:
        pick(PICTURE, Targets(0.75, 0.99), codec=CountingCodec(), predictor=FallingPredictor())
    assert caught.value.pick.encoded is None
    assert len(caught.value.pick.probes) > 1


def test_events_end_with_the_pick():
    *probed, found = pick_events(PICTURE, codec=CountingCodec(), predictor=FallingPredictor())
    assert all(isinstance(event, Probed) for event in probed)
    assert [event.n_probed for event in probed] == list(range(1, len(probed) + 1))
    assert tuple(event.probe for event in probed) == found.probes


def test_the_jury_chooses_which_machines_count():
    settings = PickSettings(jury="detection")
    found = pick(
        PICTURE, Targets(0, 0.3), codec=CountingCodec(), predictor=FallingPredictor(), settings=settings
    )
    assert (found.qp, found.chosen.score.smr) == (50, 0.3)
    with pytest.raises(TargetNotReachable):
        pick(
            PICTURE, Targets(0, 0.31), codec=CountingCodec(), predictor=FallingPredictor(), settings=settings
        )


def test_a_picture_made_in_memory_has_no_file_to_save_against():
    found = pick(
        PICTURE,
        codec=CountingCodec(),
        predictor=FallingPredictor(),
        settings=PickSettings(min_savings=99),
    )
    assert found.saved_percent is None
    assert not found.kept_original


def test_save_writes_the_picked_bytes(tmp_path):
    found = pick(PICTURE, codec=CountingCodec(), predictor=FallingPredictor())
    saved = save(found, tmp_path / "out.count")
    assert (tmp_path / "out.count").read_bytes() == found.encoded
    assert saved.output.path == str(tmp_path / "out.count")


def test_a_codec_that_cannot_read_itself_is_an_encoder_failure():
    class Broken(CountingCodec):
        def decode(self, data, width, height):
            raise DecodeError("no picture")

    with pytest.raises(EncodeError, match="counting cannot read what it wrote at QP"):
        pick(PICTURE, codec=Broken(), predictor=FallingPredictor())


def test_an_unusable_codec_names_its_remedy():
    class Missing(CountingCodec):
        def availability(self):
            return Availability(False, "no encoder", "apt install encoder")

    with pytest.raises(UnavailableError, match="apt install encoder"):
        pick(PICTURE, codec=Missing(), predictor=FallingPredictor())


def test_curve_is_in_qp_order():
    codec = CountingCodec()
    found = curve(
        PICTURE, codec=codec, predictor=FallingPredictor(), step=10, settings=SearchSettings(min_qp=5)
    )
    assert [probe.qp for probe in found.rungs] == [5, 15, 25, 35, 45]
    assert [native["step"] for native in found.natives] == [5, 15, 25, 35, 45]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Targets(sur=1.1),
        lambda: Targets(smr=-0.1),
        lambda: Targets(risk=0),
        lambda: SearchSettings(tolerance=2),
        lambda: SearchSettings(max_bytes=0),
        lambda: SearchSettings(method="guess"),
        lambda: PickSettings(jury="faces"),
        lambda: PickSettings(min_savings=100),
        lambda: Source.from_array(np.zeros((3, 3), np.uint8)),
        lambda: Source.from_array(np.zeros((0, 3, 3), np.uint8)),
        lambda: curve(PICTURE, codec=CountingCodec(), predictor=FallingPredictor(), step=0),
    ],
)
def test_arguments_out_of_range_are_usage_errors(make):
    with pytest.raises(UsageError):
        make()
