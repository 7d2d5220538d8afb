"""Results of a batch run as one flat table, a row a source: Parquet with types, or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sursmr_codec import images
from sursmr_codec.errors import MissingExtra, UsageError
from sursmr_codec.records import Record
from sursmr_codec.report.text import unicode_only

SUFFIXES = (".parquet", ".csv")

Kind = Literal["string", "int64", "float64", "bool_", "strings", "json", "probes"]


@dataclass(frozen=True)
class Column:
    """One column: its name, what it holds, and where in a result that stands."""

    name: str
    kind: Kind
    """A type of Arrow, or one of: `strings` (a list of text), `json` (an object as text), `probes`."""
    keys: tuple[str, ...]
    """The way through the result's objects."""


def _at(name: str, kind: Kind, way: str = "") -> Column:
    return Column(name, kind, tuple((way or name).split(".")))


COLUMNS = (
    *(_at(name, "string") for name in ("source", "status", "reason", "retry", "finished")),
    _at("input", "string", "input.path"),
    _at("input_sha256", "string", "input.sha256"),
    *(_at(name, "int64", f"input.{name}") for name in ("width", "height")),
    _at("format", "string", "input.format"),
    _at("jpeg_quality", "int64", "input.jpeg_quality"),
    _at("input_bytes", "int64", "input.n_bytes"),
    _at("codec", "string", "codec.id"),
    _at("codec_options", "json", "codec.options"),
    _at("fingerprint", "string", "codec.fingerprint"),
    _at("model", "string", "model.id"),
    _at("model_sha256", "string", "model.sha256"),
    *(_at(name, "string") for name in ("protocol", "machines")),
    *(_at(f"target_{name}", "float64", f"targets.{name}") for name in ("sur", "smr", "risk")),
    _at("search", "string", "search.method"),
    _at("tolerance", "float64", "search.tolerance"),
    *(_at(name, "int64", f"search.{name}") for name in ("min_qp", "max_qp", "max_bytes")),
    _at("met", "bool_"),
    _at("binding", "string"),
    _at("qp", "int64"),
    _at("native", "json"),
    *(_at(name, "float64") for name in ("sur", "smr", "smr_classification", "smr_detection")),
    *(_at(name, "float64") for name in ("sur_low", "smr_low")),
    _at("n_bytes", "int64"),
    *(_at(name, "float64") for name in ("bpp", "saved_percent")),
    _at("kept_original", "bool_"),
    _at("output", "string", "output.path"),
    _at("output_sha256", "string", "output.sha256"),
    _at("probes", "probes"),
    _at("n_encodes", "int64"),
    *(_at(f"seconds_{stage}", "float64", f"seconds.{stage}") for stage in ("read", "encode", "decode")),
    *(_at(f"seconds_{stage}", "float64", f"seconds.{stage}") for stage in ("predict", "total")),
    _at("warnings", "strings"),
    _at("version", "string"),
)
"""Every column, in order."""

PROBE_FIELDS = {
    "qp": "int64",
    **dict.fromkeys(("sur", "smr", "smr_classification", "smr_detection"), "float64"),
    "n_bytes": "int64",
}
"""Fields of one probe and their types."""


def check(path: Path) -> None:
    """Raise what writing to `path` would raise, as far as it shows before there is anything to write."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: a table is written as {' or '.join(SUFFIXES)}")
    if path.suffix.lower() == ".parquet":
        _arrow()
    images.check_target(path)


def write(records: Iterable[Record], path: Path) -> Path:
    """Write one row a record, in their order, whole or not at all; raises as `check` does."""
    check(path)
    encode = _parquet if path.suffix.lower() == ".parquet" else _csv
    images.write(path, encode(records))
    return path


def value_of(record: Record, column: Column) -> Any:
    """What `record` has for `column`; None where it has nothing."""
    found: Any = record
    for key in column.keys:
        found = None if found is None else found.get(key)
    return found


def _csv(records: Iterable[Record]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(column.name for column in COLUMNS)
    for record in records:
        writer.writerow(_cell(value_of(record, column), column.kind) for column in COLUMNS)
    return unicode_only(file.getvalue()).encode()


def _cell(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if kind == "bool_":
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if kind in ("strings", "json", "probes") else value


def _parquet(records: Iterable[Record]) -> bytes:
    arrow = _arrow()
    from pyarrow import parquet

    types = {column.name: _arrow_type(column.kind) for column in COLUMNS}
    values: dict[str, list[Any]] = {name: [] for name in types}
    for record in records:
        for column in COLUMNS:
            values[column.name].append(_arrow_value(value_of(record, column), column.kind))
    whole = arrow.table({name: arrow.array(values[name], types[name]) for name in types})
    file = io.BytesIO()
    parquet.write_table(whole, file, compression="zstd")
    return file.getvalue()


def _arrow_type(kind: Kind) -> Any:
    arrow = _arrow()
    if kind == "probes":
        fields = [(name, getattr(arrow, one)()) for name, one in PROBE_FIELDS.items()]
        return arrow.list_(arrow.struct(fields))
    if kind == "strings":
        return arrow.list_(arrow.string())
    return arrow.string() if kind == "json" else getattr(arrow, kind)()


def _arrow_value(value: Any, kind: Kind) -> Any:
    if value is None or kind in ("int64", "float64", "bool_"):
        return value
    if kind == "probes":
        return [{name: probe.get(name) for name in PROBE_FIELDS} for probe in value]
    if kind == "strings":
        return [unicode_only(line) for line in value]
    return unicode_only(json.dumps(value, ensure_ascii=False) if kind == "json" else value)


def _arrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("pyarrow", "a Parquet table", "report") from error
    return pyarrow
