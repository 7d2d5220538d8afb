"""Label tables on disk: Parquet files with one row a rung.

| column | type | meaning |
|---|---|---|
| `image`, `split` | string | path below the folder of images; its split |
| `codec`, `qp` | string, int16 | the rung; with `image` unique in a table |
| `n_bytes`, `bpp` | int32, float32 | size of the rung |
| `fingerprint` | string | every encoder and option behind the bytes |
| `cvvdp_jod`, `ssimulacra2` | float32 | teachers' scores; null where not scored |
| `sur` | float32 | calibrated satisfied user ratio, non-increasing along the ladder |
| `sur_proxy` | float32 | min-max label; null unless both ends of the ladder were scored |
| `smr`, `smr_classification`, `smr_detection`, `smr_strict` | float32 | seen machines only |
| `smr_unseen` | float32 | machines that are kept from training |
| `n_machines` | uint16 | machines behind `smr` |
| `smr_face`, `smr_segmentation` | float32 | only where these tasks were asked for; no part of `smr` |
| `m_<name>` | uint8 | 1 satisfied, 0 not, 2 does not count |

Beside the columns a file may keep what failed (`read_failures`) and its `Origin` (`read_origin`).
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sursmr_codec.errors import MissingExtra, OutputError, UsageError
from sursmr_codec.labels.measuring import Failure
from sursmr_codec.labels.origin import Origin
from sursmr_codec.labels.rows import LabelRow

if TYPE_CHECKING:
    import pyarrow

    from sursmr_codec.labels.machines.row import Task

VOTE_PREFIX = "m_"
KEY = ("image", "codec", "qp")
SCORES = {"cvvdp": "cvvdp_jod", "ssimulacra2": "ssimulacra2"}
"""Teacher -> column of its scores."""
RATIOS = ("sur", "sur_proxy", "smr", "smr_classification", "smr_detection", "smr_strict", "smr_unseen")
COLUMNS: dict[str, str] = {
    "image": "string",
    "split": "string",
    "codec": "string",
    "qp": "int16",
    "n_bytes": "int32",
    "bpp": "float32",
    "fingerprint": "string",
    **dict.fromkeys((*SCORES.values(), *RATIOS), "float32"),
    "n_machines": "uint16",
}
"""Fixed columns in their order, and their types; those of further tasks and of machines follow."""
APART: dict[Task, str] = {"face": "smr_face", "segmentation": "smr_segmentation"}
"""Task without a vote in `smr` -> column of its ratio, which a table need not have."""
_RANGES = {
    **dict.fromkeys((*RATIOS, *APART.values()), (0.0, 1.0)),
    "cvvdp_jod": (-100.0, 10.0),
    "ssimulacra2": (-100_000.0, 100.0),
    "qp": (0, 1000),
    "n_bytes": (1, 2**31 - 1),
    "bpp": (0.0, 1e6),
}
_NULLABLE = frozenset({*SCORES.values(), *RATIOS, *APART.values()})
_FAILURES = b"failures"
_ORIGIN = b"origin"


def to_table(rows: Sequence[LabelRow], machines: Sequence[str], also: Sequence[Task] = ()) -> pyarrow.Table:
    """`rows` as a table, in their order; `machines` names the columns of votes, which may hold no row.

    `also` are tasks among `APART` whose ratios get a column.
    """
    pa, _ = _arrow()
    columns = {
        name: pa.array([getattr(row, name) for row in rows], getattr(pa, kind)())
        for name, kind in (COLUMNS | {APART[task]: "float32" for task in also}).items()
    }
    for machine in machines:
        columns[VOTE_PREFIX + machine] = pa.array([row.votes[machine] for row in rows], pa.uint8())
    return pa.table(columns)


def write_labels(
    table: pyarrow.Table,
    path: Path | str,
    failures: Sequence[Failure] = (),
    origin: Origin | None = None,
) -> None:
    """Check a table and write it, whole or not at all; the same table gives the same bytes.

    `failures` and `origin` are kept with the file. Raises UsageError for a table that is none of labels,
    OutputError where it cannot be written.
    """
    _, pq = _arrow()
    path = Path(path)
    check_labels(table, path.name)
    kept: dict[bytes, Any] = {_FAILURES: [asdict(failure) for failure in failures]} if failures else {}
    if origin is not None:
        kept[_ORIGIN] = asdict(origin)
    table = table.replace_schema_metadata(
        {key: json.dumps(value, sort_keys=True).encode() for key, value in kept.items()} or None
    )
    buffer = io.BytesIO()
    strings = [name for name, kind in COLUMNS.items() if kind == "string"]
    pq.write_table(table, buffer, compression="zstd", compression_level=9, use_dictionary=strings)
    # One fixed name, so that what a killed run leaves is overwritten by the next.
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error}") from error


def read_failures(path: Path | str) -> tuple[Failure, ...]:
    """What failed while a file's labels were made; raises UsageError for a file that is no table."""
    return tuple(Failure(**failure) for failure in json.loads(_kept(path).get(_FAILURES, b"[]")))


def read_origin(path: Path | str) -> Origin | None:
    """What a file's labels were made with, None where it does not say; raises UsageError for no table."""
    found = _kept(path).get(_ORIGIN)
    if found is None:
        return None
    values = json.loads(found)
    return Origin(tuple(values["unseen"]), values["proxy"])


def _kept(path: Path | str) -> Mapping[bytes, bytes]:
    _, pq = _arrow()
    try:
        return pq.read_schema(path).metadata or {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no table of labels: {error}") from error


def files_of(source: Path | str | Sequence[Path | str]) -> list[Path]:
    """The tables of a folder (all its `*.parquet`), a file, or several of either."""
    paths: list[Path] = []
    for one in [source] if isinstance(source, str | Path) else source:
        paths += sorted(Path(one).glob("*.parquet")) if Path(one).is_dir() else [Path(one)]
    return paths


def read_labels(source: Path | str | Sequence[Path | str]) -> pyarrow.Table:
    """The labels of a folder (all its `*.parquet`), a file, or several files, checked and merged.

    Raises UsageError where there are none, and as `merge` and `check_labels` do, naming the file.
    """
    _, pq = _arrow()
    paths = files_of(source)
    if not paths:
        places = [source] if isinstance(source, str | Path) else source
        raise UsageError(f"no labels in {', '.join(map(str, places))}: expected *.parquet")
    tables = []
    for path in paths:
        try:
            table = pq.ParquetFile(path).read()
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} is no table of labels: {error}") from error
        check_labels(table, str(path))
        tables.append(table.replace_schema_metadata(None))
    return merge(tables)


def merge(tables: Sequence[pyarrow.Table]) -> pyarrow.Table:
    """Several tables as one, rows in order; a machine that one lacks does not count in its rows, and the
    ratio of a task that one lacks is null there.

    Raises UsageError where two tables hold the same rung.
    """
    pa, _ = _arrow()
    found = dict.fromkeys(name for table in tables for name in table.column_names if name not in COLUMNS)
    further = sorted(found, key=lambda name: name not in APART.values())
    whole = []
    for table in tables:
        for name in further:
            if name not in table.column_names:
                apart = name in APART.values()
                nothing = (
                    pa.nulls(table.num_rows, pa.float32())
                    if apart
                    else pa.array([2] * table.num_rows, pa.uint8())
                )
                table = table.append_column(name, nothing)
        whole.append(table.select([*COLUMNS, *further]))
    merged = pa.concat_tables(whole)
    _check_unique(merged, "the merged labels")
    return merged


def check_labels(table: pyarrow.Table, name: str) -> None:
    """Raise UsageError, naming `name` and the column, unless `table` is one of labels: columns and their
    types, value ranges, nulls, and one row a rung."""
    pa, _ = _arrow()
    import pyarrow.compute as pc

    present = table.column_names
    if present[: len(COLUMNS)] != list(COLUMNS):
        wrong = [c for c in COLUMNS if c not in present] or present[: len(COLUMNS)]
        raise UsageError(f"{name}: columns of labels are missing or out of order: {', '.join(wrong)}")
    votes = [column for column in present[len(COLUMNS) :] if column not in APART.values()]
    kinds = COLUMNS | dict.fromkeys(APART.values(), "float32")
    for column in present:
        kind = getattr(pa, kinds.get(column, "uint8"))()
        if column in votes and not column.startswith(VOTE_PREFIX):
            raise UsageError(f"{name}: unknown column {column}")
        if table.schema.field(column).type != kind:
            raise UsageError(f"{name}: column {column} is {table.schema.field(column).type}, not {kind}")
        if column not in _NULLABLE and table[column].null_count:
            raise UsageError(f"{name}: column {column} has nulls")
        low, high = (0, 2) if column in votes else _RANGES.get(column, (None, None))
        if low is None or table.num_rows == table[column].null_count:
            continue
        found = pc.min_max(table[column]).as_py()
        # Comparisons that a NaN, too, fails.
        finite = column in votes or pc.all(pc.is_finite(pc.cast(table[column], pa.float64()))).as_py()
        if not (finite and found["min"] >= low and found["max"] <= high):
            raise UsageError(f"{name}: column {column} holds values outside {low}..{high}")
    _check_unique(table, name)


def _check_unique(table: pyarrow.Table, name: str) -> None:
    counted = table.select(list(KEY)).group_by(list(KEY)).aggregate([([], "count_all")])
    if counted.num_rows != table.num_rows:
        import pyarrow.compute as pc

        twice: dict[str, Any] = counted.filter(pc.greater(counted["count_all"], 1)).slice(0, 1).to_pylist()[0]
        raise UsageError(f"{name}: {twice['image']}, {twice['codec']} at QP {twice['qp']} is there twice")


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("pyarrow", "label tables", "labels") from error
    return pyarrow, pyarrow.parquet
