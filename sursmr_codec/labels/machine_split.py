"""Which machines are kept from training, so that a prediction can be held against machines it never met."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from sursmr_codec.errors import UsageError
from sursmr_codec.labels import store
from sursmr_codec.labels.machines.zoo import MachineRow


def unseen_machines(jury: Sequence[MachineRow], path: Path | str | None = None) -> frozenset[str]:
    """Names of the jury's unseen machines.

    `path` is a TOML file with a list `machines` in its table `unseen`; without one it is the package's own,
    of which a zoo need not hold any. Raises UsageError for a file that cannot be read or names no machine of
    the jury's.
    """
    names = {row.name for row in jury}
    if path is None:
        return unseen_names() & names
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    unseen = _parse(text, str(path))
    for name in sorted(unseen - names):
        raise UsageError(f"{path} names {name}, which is not a machine of the jury")
    return unseen


def unseen_in(labels: Path | str | Sequence[Path | str]) -> frozenset[str]:
    """Names of machines whose votes in label tables are kept from training.

    Each table says so itself; for one that does not, the package's own list holds. Raises UsageError for a
    file that is no table.
    """
    names: set[str] = set()
    for path in store.files_of(labels):
        origin = store.read_origin(path)
        names |= unseen_names() if origin is None else set(origin.unseen)
    return frozenset(names)


def unseen_names() -> frozenset[str]:
    """Names on the package's own list."""
    own = resources.files("sursmr_codec.labels").joinpath("machine_split.toml").read_text("utf-8")
    return _parse(own, "machine_split.toml")


def _parse(text: str, name: str) -> frozenset[str]:
    try:
        machines = tomllib.loads(text)["unseen"]["machines"]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise UsageError(f"{name} needs a table [unseen] with a list 'machines': {error}") from error
    if not isinstance(machines, list) or not all(isinstance(machine, str) for machine in machines):
        raise UsageError(f"{name}: machines must be a list of names")
    return frozenset(machines)
