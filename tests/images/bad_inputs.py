"""Every kind of input file, good and bad, with what has to become of it.

Each row makes one file and tells the exit code of the command line (0: readable, 4: bad image), a fragment
of the message or warning, and for readable files the pixels. Rows that ask for options carry them as the
command line takes them.
"""

from __future__ import annotations

from images.input_rows import broken, colours, depths, layouts, transparency
from images.input_rows.row import Row

ROWS: tuple[Row, ...] = (*broken.ROWS, *layouts.ROWS, *transparency.ROWS, *depths.ROWS, *colours.ROWS)
