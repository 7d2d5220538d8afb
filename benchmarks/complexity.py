"""How large and how costly are the networks, beside what was published of them?

    python benchmarks/complexity.py            count and print
    python benchmarks/complexity.py --write    also write benchmarks/complexity.json

Counted on one source and one rung of 224x224, nothing trained. An operation is a
multiplication or an addition (two for each multiply-accumulate), which is the convention that the published
figures of SMR-Net agree with. Published figures: arXiv 2412.17477, table on complexity.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import timm
import torch
from torch.utils.flop_counter import FlopCounterMode

from sursmr_codec.network.build import build
from sursmr_codec.network.config import NetworkConfig

RESULT = Path(__file__).with_suffix(".json")
NETWORKS = {
    "unified": NetworkConfig(),
    "sur_featnet": NetworkConfig(family="sur_featnet", backbone="inception_v3", ratios=("sur",)),
    "smr_net": NetworkConfig(family="smr_net", backbone="efficientnet_b4", ratios=("smr",)),
}
PUBLISHED = {
    "unified": {"million_parameters": 47.0, "giga_operations": 22.56},
    "sur_featnet": {"million_parameters": 49.0, "giga_operations": 3.19},
    "smr_net": {"million_parameters": 31.5, "giga_operations": 5.74},
}
REASONS = {
    "unified": (
        "Equation 6 has neither a projection of the queries nor one of the attended values; the two that a "
        "stock attention layer adds at 1024 channels are 2.1 M parameters, about the whole difference. The "
        "paper leaves open the size of the map that features are resized to: 14x14 here, 7x7 and 28x28 "
        "would come to 20.8 and 24.0 giga-operations."
    ),
    "sur_featnet": (
        "The published operations are about those of one picture in multiply-accumulates (2.8 G for "
        "Inception-V3 at 224x224); here two pictures are counted, and multiplications and additions apart. "
        "The MLP's widths are not published."
    ),
    "smr_net": "The MLP's widths are not published; the operations are nearly all the backbone's.",
}


def count(config: NetworkConfig) -> dict[str, object]:
    """Parameters by part, and operations for one source and one rung."""
    # Shapes alone decide, so nothing is computed.
    with torch.device("meta"):
        network = build(config).eval()
        picture = torch.zeros(1, config.n_views, 3, config.size, config.size, dtype=torch.uint8)
    with torch.no_grad():
        operations = {
            "source": _operations(lambda: network.embed(picture)),
            "source_and_rung": _operations(lambda: network(picture, picture)),
        }
    parts = {name: _millions(part) for name, part in network.named_children()}
    return {
        "backbone": config.backbone,
        "million_parameters": _millions(network),
        "million_parameters_by_part": {name: n for name, n in parts.items() if n},
        "giga_operations": operations["source_and_rung"],
        "giga_operations_source_alone": operations["source"],
    }


def _operations(run: Callable[[], object]) -> float:
    with FlopCounterMode(display=False) as counter:
        run()
    return round(counter.get_total_flops() / 1e9, 2)


def _millions(module: torch.nn.Module) -> float:
    return round(sum(parameter.numel() for parameter in module.parameters()) / 1e6, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    arguments = parser.parse_args()
    result = {
        "schema": "sursmr-qp/complexity/1",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "timm": timm.__version__,
            "cpu": platform.machine(),
        },
        "networks": {
            name: count(config) | {"published": PUBLISHED[name], "why_they_differ": REASONS[name]}
            for name, config in NETWORKS.items()
        },
    }
    print(json.dumps(result, indent=2))
    if arguments.write:
        RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
