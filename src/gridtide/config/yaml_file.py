"""Reads the YAML file. Numbers stay the text that was written, so that no price passes through a float, and every
key keeps its line, so that an error can name it. Nothing in a file is ever run: tags, anchors and aliases are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gridtide.domain.errors import InvalidConfig

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

KeyPath = tuple[str | int, ...]

_TEXT = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_BOOL = "tag:yaml.org,2002:bool"
_MAP = "tag:yaml.org,2002:map"
_SEQ = "tag:yaml.org,2002:seq"


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """What a file says, and on which line each key stands."""

    path: Path
    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def line_of(self, key: KeyPath) -> int | None:
        """The line of `key`, or of the nearest key above it."""
        for length in range(len(key), 0, -1):
            if (line := self.lines.get(key[:length])) is not None:
                return line
        return None


class _Loader(yaml.SafeLoader):
    """Knows texts, true and false, and nothing (null); every number is a text."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases (& and *) are not allowed", problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == _NULL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path) -> YamlDocument:
    """The settings in `path`; raises `InvalidConfig` naming file and line."""
    text = _read_text(path)
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise InvalidConfig(
            f"{where}: not readable as YAML: {error.problem or 'unclear structure'}"
        ) from None
    except (yaml.YAMLError, RecursionError):
        raise InvalidConfig(f"{path}: not readable as YAML") from None
    document = YamlDocument(path)
    if root is None:
        return document
    if not isinstance(root, yaml.MappingNode):
        raise InvalidConfig(f"{path}: a config is a list of keys and values, such as `mode: sandbox`")
    document.data.update(_mapping(root, (), document))
    return document


def _read_text(path: Path) -> str:
    try:
        if path.is_dir():
            raise InvalidConfig(f"{path} is a folder; name the config file in it")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InvalidConfig(f"{path} does not exist; `gridtide init {path}` writes one") from None
    except OSError as error:
        raise InvalidConfig(f"{path} cannot be read: {error.strerror or error}") from None
    if len(content) > MAX_BYTES:
        raise InvalidConfig(f"{path} is larger than {MAX_BYTES} bytes: no config is")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidConfig(f"{path} is not a text file in UTF-8") from None


def _value(node: yaml.Node, key: KeyPath, document: YamlDocument) -> Any:
    if len(key) > MAX_DEPTH:
        raise _refused(document, node, "too deeply nested")
    match node:
        case yaml.MappingNode(tag=tag) if tag == _MAP:
            return _mapping(node, key, document)
        case yaml.SequenceNode(tag=tag) if tag == _SEQ:
            return _sequence(node, key, document)
        case yaml.ScalarNode(tag=tag) if tag in (_TEXT, _NULL, _BOOL):
            return _scalar(node)
    raise _refused(document, node, f"the tag {node.tag} is not allowed")


def _mapping(node: yaml.MappingNode, above: KeyPath, document: YamlDocument) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _refused(document, key_node, "a key must be a word")
        name = str(key_node.value)
        if name in result:
            raise _refused(document, key_node, f"{name} is given twice")
        key = (*above, name)
        document.lines[key] = key_node.start_mark.line + 1
        result[name] = _value(value_node, key, document)
    return result


def _sequence(node: yaml.SequenceNode, above: KeyPath, document: YamlDocument) -> list[Any]:
    result = []
    for index, item in enumerate(node.value):
        key = (*above, index)
        document.lines[key] = item.start_mark.line + 1
        result.append(_value(item, key, document))
    return result


def _scalar(node: yaml.ScalarNode) -> str | bool | None:
    if node.tag == _NULL:
        return None
    plain = node.style is None
    if plain and node.value.lower() in ("true", "false"):
        return bool(node.value.lower() == "true")
    return str(node.value)


def _refused(document: YamlDocument, node: yaml.Node, why: str) -> InvalidConfig:
    return InvalidConfig(f"{document.path}, line {node.start_mark.line + 1}: {why}")
