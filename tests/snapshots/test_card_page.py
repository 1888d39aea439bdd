"""The page of the card in a browser: nothing that a check of accessibility calls serious."""

from __future__ import annotations

import pytest

from tests.snapshots.browser import VIEWS, View, axe_core, browser, serious_findings
from tests.snapshots.record import FINISHED

UNLABELLED = "<html lang='en'><head><title>a page</title></head><body><button></button></body></html>"


@pytest.mark.long
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_axe_core_finds_nothing_serious(view: View) -> None:
    axe = axe_core()
    if browser() is None:
        pytest.skip("NOT CHECKED: Chromium is not installed")
    if axe is None:
        pytest.skip("NOT CHECKED: axe-core is not installed (npm install --no-save axe-core, or TUNEPROOF_AXE=axe.min.js)")
    assert serious_findings(UNLABELLED, view, axe), "axe-core must see a button without a name"
    assert serious_findings((FINISHED / "card.html").read_text(encoding="utf-8"), view, axe) == []
