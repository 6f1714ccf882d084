"""Every refusal in the source has a code and a text that the exchange documents, or is named here with a reason.

Texts are read from the source itself, so that a new one cannot be forgotten. In a text made at run time each
value counts as one of the documentation's placeholders.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gridtide

RESPONSES = Path(__file__).parents[2].parent / "shared" / "data" / "responses"
SOURCE = Path(gridtide.__file__).parent

pytestmark = pytest.mark.skipif(
    not RESPONSES.exists(), reason="the recorded responses are not on this machine"
)

VALUE = "\N{BULLET}"
"""Stands for a value that is filled in at run time."""

ENGINE_CODES = {-2010, -2011, -2038}
"""Codes that share one table of texts; failed filters and price checks come with -1013 as well."""

NOT_DOCUMENTED = {
    (-1013, "Invalid quantity."): "protocol section 7",
    (-1013, "Invalid price."): "protocol section 7, by analogy",
    (-1013, "Invalid stopPrice."): "protocol section 7, by analogy",
    (-1013, "This symbol does not allow the specified self-trade prevention mode."): "protocol section 6.8",
    (-1131, "recvWindow must be less than 60000."): "protocol section 3.3",
    (-4056, f"{VALUE} API key is not supported."): "the exchange's page on session.logon",
    (-5000, f"Path {VALUE}, Method {VALUE} is invalid"): "protocol section 5: an unknown path is 404",
    (-1159, "Order type not supported for the working order."): "the code is from reports, the text is ours",
    (-2013, "Order list does not exist."): "the code is documented, the text is ours",
    (-2021, "Order cancel-replace partially failed."): "protocol section 12",
    (-2022, "Order cancel-replace failed."): "protocol section 12",
    (
        -1020,
        f"This operation is not supported by this sandbox: it does not know {VALUE}.",
    ): "says what is missing here",
    (
        -1016,
        "This service is no longer available: use userDataStream.subscribe.signature.",
    ): "says what to use now",
    (-1013, "Iceberg orders are not supported by this sandbox."): "says what is missing here",
    (-1100, "Illegal characters found in parameter 'recvWindow'."): "the legal range is not documented",
}


def refusals() -> Iterator[tuple[str, int, str]]:
    """Where, code and text of each refusal that the source spells out."""
    for folder in ("sandbox", "venue"):
        for path in sorted((SOURCE / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {
                    "ApiError",
                    "VenueRefusal",
                }:
                    found = _code_and_text(node)
                    if found is not None:
                        yield f"{path.relative_to(SOURCE)}:{node.lineno}", *found


def _code_and_text(call: ast.Call) -> tuple[int, str] | None:
    if len(call.args) < 2:
        return None
    code, text = call.args[0], _text(call.args[1])
    if not isinstance(code, ast.UnaryOp) or text is None:
        return None  # passes on what somebody else refused
    return -ast.literal_eval(code.operand), text


def _text(node: ast.expr) -> str | None:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) or VALUE for part in parts)
        case _:
            return None


def documented() -> dict[int, list[str]]:
    """The documentation's texts by code."""
    book = json.loads((RESPONSES / "errors.json").read_text())
    texts: dict[int, list[str]] = {each["code"]: list(each["messages"]) for each in book["codes"]}
    shared = [row["message"] for table in book["messages"].values() for row in table]
    for code in (*ENGINE_CODES, -1013):
        texts[code] = texts.get(code, []) + shared
    return texts


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"%[sd]|\\\{param\\\}|" + VALUE, ".+", re.escape(text)))


def fits(text: str, templates: list[str]) -> bool:
    """Whether a text is one of the templates, whichever of the two leaves something open."""
    return any(_pattern(each).fullmatch(text) or _pattern(text).fullmatch(each) for each in templates)


def test_every_text_is_documented_or_named() -> None:
    texts = documented()
    strange = {(code, text): where for where, code, text in refusals() if not fits(text, texts.get(code, []))}
    assert {key: where for key, where in strange.items() if key not in NOT_DOCUMENTED} == {}
    assert set(NOT_DOCUMENTED) <= set(strange), "named, but not written anywhere any more"


def test_the_reader_finds_them() -> None:
    """It sees both entrances' refusals, plain and filled in."""
    found = {(code, text) for _, code, text in refusals()}
    assert (-1121, "Invalid symbol.") in found
    assert (-1102, f"Mandatory parameter '{VALUE}' was not sent, was empty/null, or malformed.") in found
    assert len(found) > 50
