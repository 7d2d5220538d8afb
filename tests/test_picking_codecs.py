"""`pick` under several codecs: the smallest file that meets the targets, and what becomes of the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_picking import CountingCodec, FallingPredictor

from sursmr_codec import SearchSettings, Source, Targets, pick
from sursmr_codec.codecs.base import Availability
from sursmr_codec.errors import (
    EncodeError,
    ImageError,
    TargetNotReachable,
    UnavailableError,
    UsageError,
)
from sursmr_codec.picking import PickSettings, Probed, pick_events
from sursmr_codec.records import pick_record
from sursmr_codec.types import Rival

PICTURE = Source.from_array(np.full((4, 6, 3), 100, np.uint8))
TRANSPARENT = replace(PICTURE, alpha=np.full((4, 6), 7, np.uint8))


class Sized(CountingCodec):
    """Files of a fixed number of bytes more than those of the counting codec."""

    def __init__(self, codec_id: str, more: int, qp_range: range = range(1, 51)) -> None:
        super().__init__()
        self.id, self.more, self.qp_range = codec_id, more, qp_range

    def encode(self, source, qp):
        return super().encode(source, qp) + bytes(self.more)


class Keeping(Sized):
    keeps = frozenset({"alpha"})


def test_the_smallest_file_that_meets_the_targets_wins():
    codecs = [Sized("large", 9), Sized("small", 2), Sized("middle", 5)]
    found = pick(PICTURE, codec=codecs, predictor=FallingPredictor())
    assert (found.codec.id, found.qp, found.n_bytes) == ("small", 25, 77)
    assert found.rivals == (Rival("large", True, 25, 84), Rival("middle", True, 25, 80))
    assert found.n_encodes == sum(len(codec.encoded) for codec in codecs)


def test_the_first_of_two_equal_ones_wins():
    assert pick(PICTURE, codec=[Sized("a", 1), Sized("b", 1)], predictor=FallingPredictor()).codec.id == "a"


def test_a_file_that_misses_the_targets_never_beats_one_that_meets_them():
    misses = Sized("misses", 0, range(40, 51))
    found = pick(
        PICTURE,
        codec=[misses, Sized("meets", 50)],
        predictor=FallingPredictor(),
        settings=PickSettings(best_effort=True),
    )
    assert (found.codec.id, found.met) == ("meets", True)
    assert found.rivals == (Rival("misses", False, 40, 60),)


def test_best_effort_takes_the_smallest_shortfall():
    far, near = Sized("far", 0, range(40, 51)), Sized("near", 900, range(30, 51))
    found = pick(
        PICTURE, codec=[far, near], predictor=FallingPredictor(), settings=PickSettings(best_effort=True)
    )
    assert (found.codec.id, found.qp, found.met) == ("near", 30, False)


def test_none_that_meets_names_all_and_the_nearest():
    far, near = Sized("far", 0, range(40, 51)), Sized("near", 900, range(30, 51))
    with pytest.raises(TargetNotReachable, match=r"near, far cannot meet .* near reaches 0\.700") as caught:
        pick(PICTURE, codec=[far, near], predictor=FallingPredictor())
    assert caught.value.pick.rivals == (Rival("far", False, None, None),)


def test_the_source_is_embedded_once():
    predictor = FallingPredictor()
    pick(PICTURE, codec=[Sized("a", 0), Sized("b", 1)], predictor=predictor)
    assert predictor.n_embedded == 1


def test_probes_name_their_codec_where_there_are_several():
    *probed, _ = pick_events(PICTURE, codec=[Sized("a", 0), Sized("b", 1)], predictor=FallingPredictor())
    assert [event.codec for event in probed if isinstance(event, Probed) and event.n_probed == 1] == [
        "a",
        "b",
    ]
    *probed, _ = pick_events(PICTURE, codec=Sized("a", 0), predictor=FallingPredictor())
    assert {event.codec for event in probed} == {None}


def test_the_record_stays_one_object_and_tells_of_the_others():
    found = pick(
        PICTURE,
        codec=[Sized("a", 0), Sized("b", 1), Sized("c", 0, range(40, 51))],
        predictor=FallingPredictor(),
    )
    record = pick_record(found)
    assert record["codec"]["id"] == "a"
    assert len(record["probes"]) < record["n_encodes"]
    assert record["warnings"][-2:] == [
        "b: 76 bytes at QP 25, targets met; a is no larger",
        "c: nothing to write: the targets cannot be met",
    ]


def test_one_missing_encoder_stops_all_before_any_work():
    class Missing(Sized):
        def availability(self):
            return Availability(False, "no encoder", "apt install encoder")

    there = Sized("there", 0)
    with pytest.raises(UnavailableError, match=r"codec absent is not usable: no encoder; try: apt install"):
        pick(PICTURE, codec=[there, Missing("absent", 0)], predictor=FallingPredictor())
    assert there.encoded == []


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ([], "no codec"),
        ([Sized("a", 0), Sized("a", 1)], "a is named twice"),
        ("jpeg,webp,jpeg", "jpeg is named twice"),
        ("jpeg,", "a name is missing in 'jpeg,'"),
        ("jpeg,nonsense", "unknown codec 'nonsense'"),
    ],
)
def test_what_is_no_list_of_codecs(named, message):
    with pytest.raises(UsageError, match=message):
        pick(PICTURE, codec=named, predictor=FallingPredictor())


@pytest.mark.parametrize("bounds", [{"min_qp": 5}, {"max_qp": 30}])
def test_bounds_of_qp_belong_to_one_codec(bounds):
    settings = PickSettings(search=SearchSettings(**bounds))
    with pytest.raises(UsageError, match="belong to one codec"):
        pick(PICTURE, codec="jpeg,webp", predictor=FallingPredictor(), settings=settings)


def test_a_small_original_is_kept_over_every_codec():
    source = replace(PICTURE, encoded=b"x" * 70)
    found = pick(
        source,
        codec=[Sized("a", 0), Sized("b", 1)],
        predictor=FallingPredictor(),
        settings=PickSettings(min_savings=5),
    )
    assert found.kept_original
    assert found.encoded == source.encoded


def test_an_original_that_is_kept_says_that_its_metadata_stays():
    source = replace(PICTURE, encoded=b"x" * 70, stripped=True)
    settings = PickSettings(min_savings=5)
    found = pick(source, codec=Sized("a", 0), predictor=FallingPredictor(), settings=settings)
    assert any("kept with its metadata" in line for line in found.warnings)


def test_metadata_that_is_left_out_is_said_only_of_what_is_written():
    source = replace(PICTURE, encoded=b"x" * 70, exif=b"Exif\0\0II*\0")
    written = pick(source, codec=Sized("a", 0), predictor=FallingPredictor())
    assert "a files hold no metadata: EXIF left out" in written.warnings
    settings = PickSettings(min_savings=5)
    kept = pick(source, codec=Sized("a", 0), predictor=FallingPredictor(), settings=settings)
    assert not any("EXIF" in line for line in kept.warnings)


def test_transparency_is_kept_by_those_that_can():
    found = pick(TRANSPARENT, codec=[Sized("a", 0), Keeping("b", 9)], predictor=FallingPredictor())
    assert found.codec.id == "b"
    assert any("a cannot keep transparency" in line for line in found.warnings)


def test_transparency_that_no_codec_keeps_is_refused():
    for codec in (Sized("a", 0), [Sized("a", 0), Sized("b", 0)]):
        with pytest.raises(ImageError, match="which a files cannot keep"):
            pick(TRANSPARENT, codec=codec, predictor=FallingPredictor())


class Finishing(CountingCodec):
    """Writes a rung without its last bytes."""

    def finish(self, source, qp, encoded):
        return encoded[:-10]


def test_the_finished_file_is_written_and_its_size_told():
    found = pick(PICTURE, codec=Finishing(), predictor=FallingPredictor())
    assert (found.n_bytes, found.chosen.n_bytes) == (65, 75)


def test_a_finished_file_of_other_pixels_is_an_encoder_failure():
    class Spoiling(CountingCodec):
        def finish(self, source, qp, encoded):
            return bytes([qp - 1]) * 10

    with pytest.raises(EncodeError, match="finished QP 25 with other pixels"):
        pick(PICTURE, codec=Spoiling(), predictor=FallingPredictor())


def test_a_codec_that_a_predictor_was_not_trained_on_is_extrapolated():
    class Trained(FallingPredictor):
        trained_codecs = frozenset({"jpeg", "counting"})

    known = pick(PICTURE, codec=CountingCodec(), predictor=Trained())
    assert known.warnings == ()
    other = pick(PICTURE, codec=Sized("other", 0), predictor=Trained())
    assert other.warnings == ("falling was trained on counting, jpeg: its ratios for other are extrapolated",)


def test_targets_of_one_codec_alone_are_those_of_several():
    alone = pick(PICTURE, Targets(0.6, 0.9), codec=Sized("a", 0), predictor=FallingPredictor())
    among = pick(
        PICTURE, Targets(0.6, 0.9), codec=[Sized("z", 99), Sized("a", 0)], predictor=FallingPredictor()
    )
    assert (alone.qp, alone.probes, alone.encoded) == (among.qp, among.probes, among.encoded)
