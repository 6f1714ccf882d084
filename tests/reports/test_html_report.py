"""The report is one file that asks nobody, says everything, and lets nobody else's script run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gridtide.domain.errors import StorageFailed
from gridtide.reports.chart_figures import MOST_MARKERS, price_chart
from gridtide.reports.html_report import html_report, write_html
from gridtide.reports.shown_figures import FIGURES
from gridtide.reports.thinning import MOST_POINTS
from tests.reports.browser import chromium
from tests.reports.builders import result

EVIL = '</script><script>document.title="broken"</script><img src=x onerror=alert(1)>&"\''
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WIDE = {"viewport": {"width": 1280, "height": 900}}


def own_parts(page: str) -> str:
    """The page without its styles and scripts."""
    return re.sub(r"<(script|style)[^>]*>.*?</\1>", "", page, flags=re.DOTALL)


def test_it_says_everything() -> None:
    """All figures, notes, notices, settings (secrets hidden), checksums; months; simpler ways."""
    shown = result(
        settings={"exchange": {"name": "binance", "api_secret": "swordfish"}, "bots": [{"name": "x"}]}
    )
    text = own_parts(html_report(shown))
    assert all(f">{figure.label}<" in text for figure in FIGURES)
    for wanted in (
        *("15,424.70", "+2.83 %", "1.23", "Calmar", "fees in BTC", "50/50 mix", "buy daily"),
        *("the price jumps over them", "the price left the grid", "<span>Jan</span>", "<span>2021</span>"),
        *("exchange.name", "bots[0].name", shown.config_hash, shown.data_checksum, "0.1.0"),
    ):
        assert wanted in text, wanted
    assert "swordfish" not in html_report(shown)


def test_nothing_of_the_user_is_taken_for_markup() -> None:
    """Names, notes, settings, notices and data with markup in them stand there as text."""
    evil = result(
        bots=((EVIL, "BTC/<b>USDT"),),
        notes=(EVIL,),
        settings={EVIL: EVIL},
        notices=((0, EVIL, EVIL, EVIL),),
        fees_by_asset={"<i>": result().fees},
        version=EVIL,
    )
    page = html_report(evil)
    text = own_parts(page)
    assert not re.search(r"<(img|script|b>|i>)", text)
    assert text.count("&lt;img src=x onerror=alert(1)&gt;") >= 7
    assert page.count("<script") == 3, "data, plotly.js and our own"


def test_the_policy_lets_only_these_scripts_run() -> None:
    """No request may leave, nothing inline or evaluated runs but the two scripts whose hashes are named."""
    page = html_report(result(fills=2, moments=10))
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[0]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert rules["script-src"].split() == [f"'sha256-{each}'" for each in hashes]
    assert not re.search(r"<(link|img|iframe|script)[^>]*(src|href)=\"(?!data:)", own_parts(page))


def test_large_runs_are_thinned() -> None:
    """30,000 moments and 9,000 fills: no line has more points than a phone can take, and the page says so."""
    large = result(moments=30_000, fills=9_000)
    page = html_report(large)
    charts = json.loads(re.findall(r'id="charts">(.*?)</script>', page, re.DOTALL)[0])
    lines = {
        trace["name"]: trace for chart in charts.values() for trace in chart["traces"] if "name" in trace
    }
    assert max(len(trace["x"]) for trace in lines.values()) <= MOST_POINTS
    assert len(lines["bought"]["x"]) <= MOST_MARKERS
    assert max(lines["price"]["y"]) == large.markets[0].prices.max()
    assert min(lines["this run"]["y"]) == pytest.approx(large.curve.equity.min())
    assert "of 9,000 fills are drawn." in page


@pytest.mark.parametrize("changed", [{"fills": 0}, {"moments": 2, "fills": 1, "days": 1}, {"baselines": ()}])
def test_small_runs_have_a_page(changed: dict[str, Any]) -> None:
    """No fills, a day, nothing to compare with."""
    small = result(**changed)
    assert "final equity" in html_report(small)
    assert price_chart(small, small.markets[0]).traces


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(StorageFailed, match="could not be written"):
        write_html(result(fills=2, moments=10), tmp_path / "file" / "out.html")
    write_html(result(fills=2, moments=10), tmp_path / "new" / "out.html")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out.html"]


# --- in a real browser -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


def opened(browser: Any, path: Path, **device: Any) -> tuple[Any, list[str]]:
    """The page once its charts stand, and everything it complained of or asked for."""
    page = browser.new_context(**device).new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: heard.append(f"error: {error}"))
    page.on("request", lambda request: heard.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector(".chart:last-of-type .main-svg")
    return page, heard


@pytest.mark.parametrize("device", [WIDE, PHONE | {"color_scheme": "dark"}], ids=["wide", "phone"])
def test_it_works_in_a_browser(browser: Any, tmp_path: Path, device: dict[str, Any]) -> None:
    """Every chart is drawn, nothing is complained of or asked for, nothing scrolls sideways, and no stranger's script
    ran."""
    write_html(result(bots=((EVIL, "BTC/USDT"), ("b", "ETH/USDT")), fills=60), tmp_path / "out.html")
    page, heard = opened(browser, tmp_path / "out.html", **device)
    assert heard == [(tmp_path / "out.html").as_uri()]
    drawn = "chart => chart.querySelectorAll('.scatterlayer .trace, .barlayer .trace').length"
    charts = page.query_selector_all(".chart")
    assert [chart.evaluate(drawn) >= 1 for chart in charts] == [True] * 6
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.title() != "broken"
    buttons = page.eval_on_selector_all(".modebar-btn", "found => found.map(one => one.dataset.title)")
    assert not [title for title in buttons if "hare" in title or "loud" in title], (
        "nothing offers to send it away"
    )
    assert bool(buttons) is ("has_touch" not in device)
    assert page.query_selector("h1").inner_text().startswith(EVIL)


def test_it_follows_light_and_dark(browser: Any, tmp_path: Path) -> None:
    """The charts are drawn again in the other theme's colours when the device changes over."""
    write_html(result(fills=10, moments=50), tmp_path / "out.html")
    page, _ = opened(browser, tmp_path / "out.html", color_scheme="light")
    colour = "document.getElementById('equity')._fullLayout.font.color"
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    for _ in range(100):  # the page's policy forbids the evaluating that playwright's own waiting would need
        if page.evaluate(colour) != light:
            break
        page.wait_for_timeout(50)
    assert page.evaluate(colour) != light
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 25)"
