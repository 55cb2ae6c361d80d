"""The production server over the model double, and a browser that looks at it."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.api.running import PATIENCE_S, ROOT
from tests.browser.chromium import FLAGS, need_chromium
from tests.browser.newsroom import PROMPT, Newsroom
from tests.model_double import ModelDouble

PATIENCE_MS = PATIENCE_S * 1000


@dataclass
class Served:
    """A service: where it answers, and what stands behind it."""

    url: str
    newsroom: Newsroom
    double: ModelDouble


@dataclass
class Desk:
    """A page of the service in a browser, and what must not happen on it."""

    page: Page
    served: Served
    wrong: list[str] = field(default_factory=list)

    def expect(self, beginning: str) -> None:
        """Nothing: what begins like this was meant to happen on the page, and did."""
        assert [wrong for wrong in self.wrong if wrong.startswith(beginning)], self.wrong
        self.wrong = [wrong for wrong in self.wrong if not wrong.startswith(beginning)]

    def open(self, path: str = "/") -> "Desk":
        """The page, loaded."""
        self.page.goto(self.served.url + path)
        return self

    def read(self, text: str, **fields: str) -> "Desk":
        """The claims in `text`, shown."""
        self.ask(text, **fields)
        self.page.wait_for_selector("body[data-state=shown] .tools:not([hidden])")
        return self

    def ask(self, text: str, **fields: str) -> None:
        """Nothing; the form is sent."""
        self.page.fill("#text", text)
        if "prompt" not in fields:
            fields["prompt"] = PROMPT
        self.page.evaluate("document.querySelector('.options').open = true")
        self.page.select_option("#prompt", fields.pop("prompt"))
        for name, value in fields.items():
            self.page.fill(f"#{name}", value)
        self.page.click("button.main")


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """A service that stores analyses, in a process of its own."""
    need_chromium()
    newsroom = Newsroom()
    with ModelDouble(newsroom) as double:
        settings = {"OPENAI_BASE_URL": double.base_url, "FACTCHECK_HISTORY": "on", "FACTCHECK_PORT": "0"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FACTCHECK_", "OPENAI_"))}
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "serve"], cwd=ROOT, env=kept | settings, stderr=subprocess.PIPE, text=True
        )
        said = ""
        for line in process.stderr:
            said += line
            if found := re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", line):
                break
        else:
            pytest.fail(said)
        rest = threading.Thread(target=process.stderr.read)
        rest.start()
        yield Served(found[1], newsroom, double)
        newsroom.go_on.set()
        process.terminate()
        process.wait(PATIENCE_S)
        rest.join()
        process.stderr.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    path = need_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def look(chromium: Browser, served: Served) -> Iterator:
    """Opens a page as told; afterwards nothing forbidden has happened on any of them."""
    contexts: list[BrowserContext] = []
    desks: list[Desk] = []

    def opened(path: str = "/", **told: object) -> Desk:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, "accept_downloads": True, **told})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        desk = Desk(page, served)
        desks.append(desk)
        page.on("request", lambda asked: desk.wrong.append(asked.url) if not _ours(asked.url, served.url) else None)
        page.on("pageerror", lambda error: desk.wrong.append(str(error)))
        page.on("console", lambda said: desk.wrong.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: (desk.wrong.append(f"dialog: {dialog.message}"), dialog.accept()))
        return desk.open(path)

    yield opened
    for context in contexts:
        context.close()
    assert [wrong for desk in desks for wrong in desk.wrong] == []


def _ours(address: str, url: str) -> bool:
    return address.startswith((url + "/", "data:image/svg+xml", "blob:"))
