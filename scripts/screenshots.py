"""Takes the pictures of the reading room that docs/ shows: `python -m scripts.screenshots [folder]`.

Needs Chromium. The service runs in a process of its own over the recorded replies of the evals, so no model is asked.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from service.llm.replay import ReplayModel, recorded_traits
from service.pipeline.analyze import Services
from service.pipeline.gate import Gate
from service.prompt_files import find_prompts, load_prompts
from service.server import serve
from service.settings import Settings
from tests.browser.chromium import FLAGS, need_chromium

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "reading-room"
RECORDINGS = ROOT / "tests" / "evals" / "recordings"
SEED = ROOT / "seeds" / "000_5d23d1c23963b52b.txt"
PROMPT = "extract_claims@3"
OTHER_PROMPT = "extract_claims@2"
_MOST_BYTES = 300_000
_SERVE = "--serve"
WIDE, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}


def take(browser: Browser, url: str, folder: Path) -> None:
    """Nothing; every picture is in `folder`."""
    with _read(browser, url, WIDE) as page:
        page.click("#c2 h3 span")
        page.mouse.move(5, 5)
        _shoot(page, folder / "wide.png")
        page.locator("#matrix").scroll_into_view_if_needed()
        _part(page, "#matrix", folder / "matrix.png")
        page.click("#compare")
        page.select_option("#other-prompt", OTHER_PROMPT)
        page.click("#other-go")
        page.wait_for_selector("#back")
        page.evaluate("document.getElementById('costs-title').scrollIntoView()")
        _shoot(page, folder / "compare.png")
    with _read(browser, url, WIDE, color_scheme="dark") as page:
        page.click("#c2 h3 span")
        page.mouse.move(5, 5)
        _shoot(page, folder / "dark.png")
    with _read(browser, url, PHONE) as page:
        page.locator("#article").scroll_into_view_if_needed()
        page.evaluate("document.querySelector('.coverage').scrollIntoView()")
        _shoot(page, folder / "phone.png")


@contextmanager
def _read(browser: Browser, url: str, size: Any, **more: Any) -> Iterator[Page]:
    context = browser.new_context(viewport=size, reduced_motion="reduce", **more)
    page = context.new_page()
    page.goto(url)
    page.fill("#text", SEED.read_text(encoding="utf-8"))
    page.evaluate("document.querySelector('.options').open = true")
    page.select_option("#prompt", PROMPT)
    page.click("button.main")
    page.wait_for_selector("body[data-state=shown] #tools:not([hidden])")
    page.evaluate("document.getElementById('said').replaceChildren()")
    yield page
    context.close()


def _shoot(page: Page, path: Path) -> None:
    page.evaluate("document.getElementById('said').replaceChildren()")
    page.screenshot(path=path)


def _part(page: Page, selector: str, path: Path) -> None:
    page.locator(selector).screenshot(path=path)


def _serve(folder: str) -> None:
    def build(_: Settings) -> Services:
        return Services(ReplayModel(Path(folder), recorded_traits(Path(folder))), load_prompts(find_prompts()), gate=Gate(8))

    serve(Settings(port=0), check=lambda _: None, build=build)


def main(arguments: list[str]) -> None:
    """Nothing; the pictures are taken.

    Raises: SystemExit when one of them is too large to be kept.
    """
    if arguments[:1] == [_SERVE]:
        _serve(arguments[1])
        return
    folder = Path(arguments[0]) if arguments else PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as recordings, sync_playwright() as playwright:
        for path in RECORDINGS.glob("v?/*.json"):
            copy(path, recordings)
        program = [sys.executable, "-m", "scripts.screenshots", _SERVE, recordings]
        with subprocess.Popen(program, cwd=ROOT, stderr=subprocess.PIPE, text=True) as service:  # noqa: S603 - ourselves
            lines = iter(service.stderr or ())
            listening = (re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", line) for line in lines)
            url = next(found[1] for found in listening if found)
            browser = playwright.chromium.launch(executable_path=need_chromium(), args=FLAGS)
            take(browser, url, folder)
            browser.close()
            service.terminate()
            service.communicate()
    if large := [path.name for path in folder.glob("*.png") if path.stat().st_size > _MOST_BYTES]:
        raise SystemExit(f"larger than {_MOST_BYTES} bytes: {', '.join(large)}")


if __name__ == "__main__":
    main(sys.argv[1:])
