"""Conditions between parameters, such as ``lower_price * 1.05 < upper_price``: numbers, names, + - * / and comparisons.

Nothing else is ever run: the text is parsed, and only these pieces are allowed in it.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any

from gridtide.domain.errors import InvalidInput

Value = Decimal | int | str | bool
"""What a parameter can be."""

_OPERATIONS: Mapping[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison, or a chain of them. See `parse_condition`."""

    text: str
    names: frozenset[str]
    _tree: ast.Compare = field(repr=False, compare=False)

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Whether it is true of `values`. A value that is not known, one that is no number where one is needed, and a
        division by zero make it false."""
        try:
            parts = [_evaluated(part, values) for part in (self._tree.left, *self._tree.comparators)]
            return all(
                _COMPARISONS[type(sign)](left, right)
                for sign, left, right in zip(self._tree.ops, parts, parts[1:], strict=False)
            )
        except (KeyError, TypeError, InvalidOperation, DivisionByZero):
            return False


def parse_condition(text: str) -> Condition:
    """Raises `InvalidInput` for anything but comparisons of parameters, numbers and sums of them."""
    wrong = InvalidInput(
        f"condition {text[:_LONGEST]!r} is not understood: compare parameters and numbers, such as lower_price < "
        "upper_price * 0.95"
    )
    try:
        tree = ast.parse(text.strip(), mode="eval").body if len(text) <= _LONGEST else None
    except (SyntaxError, ValueError, RecursionError):
        raise wrong from None
    if not isinstance(tree, ast.Compare) or not _is_allowed(tree):
        raise wrong
    names = {_name(node) for node in _operands(tree)}
    return Condition(text.strip(), frozenset(name for name in names if name), tree)


def _is_allowed(tree: ast.Compare) -> bool:
    return all(type(sign) in _COMPARISONS for sign in tree.ops) and all(
        _is_term(part) for part in (tree.left, *tree.comparators)
    )


def _is_term(node: ast.expr) -> bool:
    match node:
        case ast.BinOp(left=left, op=sign, right=right):
            return type(sign) in _OPERATIONS and _is_term(left) and _is_term(right)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _is_term(operand)
        case ast.Constant(value=value):
            return isinstance(value, int | float | str)
        case _:
            return bool(_name(node))


def _operands(node: ast.AST) -> list[ast.AST]:
    """Every piece but those inside a dotted name."""
    if isinstance(node, ast.Attribute | ast.Name):
        return [node]
    return [node, *(each for child in ast.iter_child_nodes(node) for each in _operands(child))]


def _name(node: ast.AST) -> str:
    """The parameter a node names, dots and all; empty where it names none."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=last):
            return f"{above}.{last}" if (above := _name(value)) else ""
        case _:
            return ""


def _evaluated(node: ast.expr, values: Mapping[str, Value]) -> Any:
    match node:
        case ast.BinOp(left=left, op=sign, right=right):
            return _OPERATIONS[type(sign)](_evaluated(left, values), _evaluated(right, values))
        case ast.UnaryOp(operand=operand):
            return -_evaluated(operand, values)
        case ast.Constant(value=value):
            return Decimal(str(value)) if isinstance(value, int | float) else value
        case _:
            found = values[_name(node)]
            return Decimal(found) if isinstance(found, int) and not isinstance(found, bool) else found
