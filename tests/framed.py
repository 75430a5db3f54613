"""Cards in a frame of the preview's own, without the page around it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pictures import Mode, nearly, plain
from playwright.sync_api import Page as Tab
from served import Page

_MAKE = """async ([width, height]) => {
    const base = document.querySelector("script").src;
    const {Frame} = await import(new URL("frame.js", base));
    window.frame = new Frame("alone");
    const size = `width: ${width}px; height: ${height}px; border: 0; z-index: 9`;
    window.frame.element.style.cssText = `position: fixed; top: 0; left: 0; ${size}`;
    document.body.append(window.frame.element);
}"""
_SHOW = """async side => {
    await window.frame.show(side);
    await window.frame.element.contentDocument.fonts.ready;
    window.frame.element.contentDocument.activeElement?.blur();
}"""


def shown_by_us(tab: Tab, mode: Mode, page: Page) -> Iterator[str]:
    """Show both sides of each card in `window.frame`: the name of each, when it is whole.

    The frame is as large as the mode's screen. What can be typed is typed with two slips.
    """
    tab.goto(page.url)
    tab.wait_for_selector("#stage[data-shown]", state="attached")
    tab.evaluate(_MAKE, [mode.width, mode.height])
    for entry in page.entries():
        body = json.loads(page.get(f"/body/{entry['body']}").text)
        for face in body["faces"]:
            for side, name in (("front", "question"), ("back", "answer")):
                shown = {
                    "html": face[side],
                    "number": face["number"],
                    "night": mode.night,
                    "isPhone": mode.phone,
                    "isBack": side == "back",
                    "expected": body["typed"],
                    "typed": nearly(plain(body["typed"])) * (side == "back"),
                }
                tab.evaluate(_SHOW, shown)
                yield f"{entry['id']}.{face['number']}.{name}"
