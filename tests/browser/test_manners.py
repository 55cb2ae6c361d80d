"""What the page is held to: readable for everybody, small, asking nobody else for anything."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from service.web.room.pages import CONTENT_SECURITY_POLICY
from tests.browser.newsroom import EMOJI, HOSTILE

pytestmark = pytest.mark.loopback
MOST_BYTES = 150_000
WIDE, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}


def violations(page):
    found = Axe().run(page).response["violations"]
    return {one["id"]: [node["html"][:200] for node in one["nodes"]][:3] for one in found}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_keeps_anybody_from_using_the_page(look, scheme, size):
    desk = look(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    page = desk.page
    page.evaluate("document.querySelector('.options').open = true")
    assert violations(page) == {}
    desk.read(EMOJI)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.click("#compare")
    assert violations(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", PHONE)], ids=["wide, light", "phone, dark"])
def test_nor_from_comparing(look, scheme, size):
    desk = look(viewport=size, color_scheme=scheme, reduced_motion="reduce").read(EMOJI)
    page = desk.page
    page.click("#compare")
    page.click("#other-go")
    page.wait_for_selector("#back")
    assert violations(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("#keys-button")
    assert violations(page) == {}


def test_the_page_is_small_and_its_parts_are_kept(look, served):
    desk = look("/healthz")
    sizes = {}
    desk.page.on("response", lambda got: sizes.update({got.url: got.request.sizes()["responseBodySize"]}))
    desk.open()
    desk.page.wait_for_load_state("networkidle")
    assert len(sizes) > 5
    assert sum(sizes.values()) <= MOST_BYTES
    kept = desk.page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert all(address.startswith(served.url + "/room/static/") for address in kept if address.startswith("http"))
    desk.open()
    cached = desk.page.evaluate("performance.getEntriesByType('resource').every((entry) => entry.transferSize === 0)")
    assert cached


def test_the_policy_lets_in_this_service_alone(look):
    desk = look()
    assert desk.page.request.get(desk.served.url).headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert desk.page.context.cookies() == []


def test_what_is_printed_is_the_article_and_its_claims(look):
    desk = look().read(HOSTILE, language="en")
    page = desk.page
    page.emulate_media(media="print")
    assert page.is_visible("#article-text")
    assert page.is_visible("#claims .card")
    assert not page.is_visible("#tools")
    assert not page.is_visible("#filters")
