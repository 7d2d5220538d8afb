"""The `config` column of the zoo: which keys a row may have, and what their values must be.

| key | task | meaning |
|---|---|---|
| `bg` | classification | 1: the first output is background and is dropped |
| `logits` | classification | 1: outputs need a softmax |
| `remap` | classification | file beside the weights: (C,) integers, output index -> class index |
| `head`, `kind` | detection, face | the family's name in `heads` |
| `conf` | detection, face | T_conf where the family needs another than the usual |
| `iou` | detection, face | overlap above which a weaker box falls |
| `nms` | detection, face | 0: boxes come without need of suppression |
| `padv` | detection, face | grey of a letterbox's bars |
| `random_weights` | models of a collection | 1: weights drawn at random, for tests without a network |

and what each head asks for, described in its file. Models of a collection decode their own outputs, so that
they take `conf` and `random_weights` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sursmr_codec.labels.machines.heads import FACE_HEADS, OBJECT_HEADS, Head
from sursmr_codec.labels.machines.output import SCORE_FLOOR

TASKS = ("classification", "detection", "face", "segmentation")
_HEAD_KEYS = {"detection": ("head", OBJECT_HEADS), "face": ("kind", FACE_HEADS)}
_BOX_KEYS = frozenset({"conf", "iou", "nms", "padv"})
_CLASS_KEYS = frozenset({"bg", "logits", "remap"})
_HUB_KEYS = {
    "classification": frozenset({"random_weights"}),
    "detection": frozenset({"conf", "random_weights"}),
}


def head_of(task: str, config: Mapping[str, Any]) -> Head:
    """The head that a checked row of task `detection` or `face` names."""
    key, heads = _HEAD_KEYS[task]
    return heads[config[key]]


def check_config(task: str, config: object, *, hub: bool = False) -> None:
    """Raise ValueError, with the offending key, unless `config` suits a machine of this task.

    `hub` says that the machine is a model of a collection.
    """
    if not isinstance(config, dict):
        raise ValueError("must be a JSON object")
    required: frozenset[str] = frozenset()
    allowed: frozenset[str] = _CLASS_KEYS if task == "classification" else frozenset()
    if hub:
        allowed = _HUB_KEYS[task]
    elif task in _HEAD_KEYS:
        key, heads = _HEAD_KEYS[task]
        if not isinstance(config.get(key), str) or config[key] not in heads:
            raise ValueError(f"{key} {config.get(key)!r} is not one of {', '.join(sorted(heads))}")
        head = heads[config[key]]
        required = head.required | {key}
        allowed = _BOX_KEYS | required | head.optional
    for key in sorted(required - config.keys()):
        raise ValueError(f"key {key!r} is missing")
    for key in sorted(config.keys() - allowed):
        raise ValueError(f"key {key!r} is not known for this machine")
    for key, value in config.items():
        wanted, is_valid = _VALUES[key]
        if not is_valid(value):
            raise ValueError(f"{key} must be {wanted}, not {value!r}")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _flag(value: object) -> bool:
    return isinstance(value, int) and value in (0, 1)


def _integers(value: object, least: int) -> bool:
    return isinstance(value, list) and bool(value) and all(type(v) is int and v >= least for v in value)


def _pairs(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(map(_number, pair)) for pair in value
    )


def _priors(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(part, list) for part in value)
        and len(value[0]) == len(value[1])
        and _integers(value[0], 1)
        and all(_integers(sides, 1) for sides in value[1])
    )


_VALUES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "anc": ("[strides, sizes a stride]", _priors),
    "anchors": (
        "a list a scale of [width, height] pairs",
        lambda v: isinstance(v, list) and bool(v) and all(map(_pairs, v)),
    ),
    "bg": ("0 or 1", _flag),
    "ci": ("a list of output positions", lambda v: _integers(v, 0)),
    "conf": (f"a number {SCORE_FLOOR}..1", lambda v: _number(v) and SCORE_FLOOR <= v <= 1),
    "di": ("a list of output positions", lambda v: _integers(v, 0)),
    "head": ("a head's name", lambda v: isinstance(v, str)),
    "iou": ("a number above 0 and up to 1", lambda v: _number(v) and 0 < v <= 1),
    "kind": ("a head's name", lambda v: isinstance(v, str)),
    "logits": ("0 or 1", _flag),
    "mode": ("'corner' or 'centre'", lambda v: v in ("corner", "centre")),
    "nms": ("true or false", _flag),
    "norm": ("0 or 1", _flag),
    "off": ("a number 0..1", lambda v: _number(v) and 0 <= v <= 1),
    "padv": ("a grey 0..255", lambda v: type(v) is int and 0 <= v <= 255),
    "random_weights": ("0 or 1", _flag),
    "remap": ("a file's name", lambda v: isinstance(v, str) and v != ""),
    "strides": ("a list of strides", lambda v: _integers(v, 1)),
    "var": ("four numbers", lambda v: isinstance(v, list) and len(v) == 4 and all(map(_number, v))),
}
