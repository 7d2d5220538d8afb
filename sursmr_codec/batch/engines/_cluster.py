"""Coming into touch with a Ray cluster, and what there is of it to share out."""

from __future__ import annotations

import importlib
import logging
import os
import socket
from dataclasses import dataclass
from typing import Any

from sursmr_codec.errors import MissingExtra, UnavailableError, UsageError
from sursmr_codec.images.files import one_line, shown

LOCAL = "local"
"""In place of an address: a Ray of this run's own, on this machine."""
_SECONDS_TO_ANSWER = 10.0
"""Given to the head of a cluster, which Ray itself would wait for much longer."""
_LOOPBACK = "127.0.0.1"
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray prints what goes wrong on its machines to our stdout, where only records belong.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
}
_ON_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Without it Ray takes the machine's own address for the loopback's, and listens there."""
_STEPS = 10_000
"""Into which Ray divides a core or a GPU."""


@dataclass(frozen=True)
class Share:
    """What each of some actors gets of a cluster."""

    jobs: int
    """Actors."""
    threads: int
    """Cores that each may keep busy."""
    cores: float
    """Ray's measure of them, a fraction where there are more actors than cores."""
    gpus: float


def library() -> Any:
    """Ray; raises MissingExtra."""
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise MissingExtra("ray", "the engine ray", "ray") from error


def set_up(*, on_loopback: bool) -> None:
    """Settle what Ray reads from the environment when it is imported; what somebody has set stays."""
    for name, value in {**_QUIET, **(_ON_LOOPBACK if on_loopback else {})}.items():
        os.environ.setdefault(name, value)


def connect(address: str) -> bool:
    """Make this process part of a cluster; whether it was not before.

    Raises MissingExtra, UsageError for an address of another kind, UnavailableError where nobody answers.
    """
    host = _LOOPBACK if address == LOCAL else _host(address)
    set_up(on_loopback=host == _LOOPBACK)
    ray = library()
    if ray.is_initialized():
        return False
    asked: dict[str, Any] = {"address": address}
    if host == _LOOPBACK:
        asked["_node_ip_address"] = _LOOPBACK
    if address == LOCAL:
        asked["include_dashboard"] = False
        if hasattr(os, "sched_getaffinity"):
            asked["num_cpus"] = len(os.sched_getaffinity(0))
    try:
        ray.init(**asked, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, OSError) as trouble:
        raise UnavailableError(f"no Ray cluster at {shown(address)}: {one_line(trouble)}") from trouble
    return True


def share_out(jobs: int, *, gpu: bool) -> Share:
    """Even shares for so many actors; with `jobs` 0 for one a core, or with `gpu` one a GPU.

    Raises UnavailableError where there is nothing to share.
    """
    there = library().cluster_resources()
    cores, gpus = there.get("CPU", 0.0), there.get("GPU", 0.0)
    if gpu and not gpus:
        raise UnavailableError(
            "the Ray cluster has no GPU; leave out --device cuda, or add machines with one"
        )
    if not cores:
        raise UnavailableError("the Ray cluster has no cores; add machines")
    jobs = jobs or int(gpus if gpu else cores) or 1
    threads = max(1, int(cores // jobs))
    return Share(jobs, threads, _part(cores, jobs, threads), _part(gpus, jobs, 1) if gpu else 0)


def living_nodes() -> set[str]:
    """Ids of the machines that the cluster still has."""
    return {node["NodeID"] for node in library().nodes() if node["Alive"]}


def _host(address: str) -> str | None:
    """The host of an address that has one, where something answers."""
    if address in (LOCAL, "auto"):
        return None
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or "/" in host:
        raise UsageError(
            f"--ray-address must be HOST:PORT of the cluster's head, auto or local, not {shown(address)}; "
            "run this on a machine of the cluster"
        )
    try:
        socket.create_connection((host, int(port)), _SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError) as trouble:
        raise UnavailableError(
            f"no Ray cluster at {shown(address)}: {one_line(trouble)}; see what `ray start --head` printed"
        ) from trouble
    return _LOOPBACK if host == "localhost" else host


def _part(there: float, jobs: int, most: int) -> float:
    return min(most, int(there / jobs * _STEPS) / _STEPS)
