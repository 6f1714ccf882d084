"""The picture comes out on any machine: a PNG that other programs read, with everything on it where it belongs."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gridtide.reports.canvas import Canvas, text_width
from gridtide.reports.letters import ROWS, dots
from gridtide.reports.picture import HEIGHT, WIDTH, png_picture, write_png
from gridtide.reports.shown_figures import BASELINES, FIGURES
from tests.reports.builders import result

BLACK, WHITE, RED = (0, 0, 0), (255, 255, 255), (255, 0, 0)


def pixels(png: bytes) -> NDArray[np.uint8]:
    """What a PNG shows, read by the format's own rules; each part must fit its checksum."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, parts = 8, {}
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        content = png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + content)
        parts[kind] = content
        at += 12 + length
    width, height, depth, colours = struct.unpack(">IIBB", parts[b"IHDR"][:10])
    assert (depth, colours) == (8, 2)
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any(), "rows without a filter"
    return rows[:, 1:].reshape(height, width, 3)


def test_a_line_goes_where_it_should() -> None:
    """From corner to corner, in its colour, as wide as asked for, and not a pixel outside its box."""
    canvas = Canvas(60, 40, BLACK)
    canvas.line((10, 10, 50, 30), np.array([[10.0, 20.0], [50.0, 20.0], [80.0, 20.0]]), RED, 4)
    shown = pixels(canvas.png())
    assert shown[20, 30].tolist() == [255, 0, 0]
    assert shown[15, 30].tolist() == [0, 0, 0]
    assert not shown[:, 50:].any()
    assert not shown[:, :10].any()
    assert 3 <= shown[:, 30, 0].sum() / 255 <= 5


def test_other_programs_read_it() -> None:
    """Where Pillow is installed, it sees the very pixels that we wrote."""
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    import io

    png = png_picture(result(fills=20, moments=100))
    assert np.array_equal(np.asarray(image.open(io.BytesIO(png))), pixels(png))


def test_every_label_has_its_letters() -> None:
    """No figure, baseline or number shows a question mark, and different letters look different."""
    labels = "".join([*(figure.label for figure in FIGURES), *BASELINES.values()])
    used = sorted(set(labels + "0123456789+-,.%:/ abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    shapes = [dots(letter) for letter in used]
    assert len({(shape.shape, shape.tobytes()) for shape in shapes}) == len(used)
    assert all(shape.shape[0] == ROWS for shape in shapes)
    assert np.array_equal(dots("\u20bf"), dots("?"))


def test_text_stands_where_it_was_put() -> None:
    """As wide as said; ended at its right end where asked to."""
    canvas = Canvas(200, 60, BLACK)
    canvas.text(190, 10, "H.", WHITE, 4, align=1)
    columns = np.flatnonzero(pixels(canvas.png()).max(axis=(0, 2)) > 128)
    assert abs(columns[-1] - 190) <= 2
    assert abs(columns[0] - (190 - text_width("H.", 4))) <= 2


def test_each_market_has_its_price(tmp_path: Path) -> None:
    """The picture grows by one chart for each bot, up to four of them; the charts differ."""
    bots = [(f"bot-{name.lower()}", f"{name}/USDT") for name in "ABCDEF"]
    heights = [pixels(png_picture(result(bots=tuple(bots[:count])))).shape[0] for count in (1, 2, 4, 6)]
    assert heights == [HEIGHT, HEIGHT + 450, HEIGHT + 3 * 450, HEIGHT + 3 * 450]
    two = pixels(png_picture(result(bots=tuple(bots[:2]))))
    first, second = two[880:1290], two[1330:1740]
    assert len(np.unique(first @ np.array([65_536, 256, 1]))) > 10
    assert (first != second).any()


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"fills": 0, "moments": 2, "days": 1},
        {"baselines": (), "bots": ((f"{'long name ' * 20}₿", "BTC/USDT"), ("b", "ETH/USDT"))},
    ],
)
def test_any_result_has_a_picture(changed: dict[str, Any], tmp_path: Path) -> None:
    """Its colours are on it, and nothing runs over its edges."""
    write_png(result(**changed), tmp_path / "out.png")
    shown = pixels((tmp_path / "out.png").read_bytes())
    assert shown.shape[1:] == (WIDTH, 3)
    colours = shown @ np.array([65_536, 256, 1])
    assert len(np.unique(colours)) > 20
    assert len(np.unique(colours[:, [*range(20), *range(-20, 0)]])) == 1
