"""`python -m sursmr_codec` is `sursmr-qp`."""

from sursmr_codec.cli import main

main()
