"""Everything that follows a new default model, in one command.

    python benchmarks/shipped.py --images DIR --zoo DIR

After `docs/model_card.py --ship`: errors and cost (`model.py`), margins for --risk (`risk.py`), what its
training pictures are like (`novelty.py`), codecs that were left out (`unseen_codec.py`), then the card, the
README and the page of benchmarks. What was predicted already is kept in `.cache`, so that it may be stopped
and started anew.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Run from the command line; stops at the first part that fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--zoo", type=Path, required=True)
    asked = parser.parse_args()
    of = ["--images", str(asked.images.resolve()), "--write"]
    test = ["--labels", str(ROOT / "models" / "labels" / "test.parquet")]
    for command in (
        ["benchmarks/model.py", *of, *test],
        ["benchmarks/risk.py", *of],
        ["benchmarks/novelty.py", *of, "--zoo", str(asked.zoo.resolve())],
        ["benchmarks/unseen_codec.py", *of],
        ["docs/model_card.py"],
        ["docs/generate.py"],
        ["benchmarks/generate.py"],
    ):
        print(" ".join(command), flush=True)
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
