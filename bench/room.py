"""What the reading room costs a browser: bytes, first paint, and how evenly 300 claims scroll. Needs Chromium.

python -m bench.room
"""

import os
import re
import subprocess
import sys

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.browser.chromium import FLAGS, need_chromium
from tests.browser.newsroom import MANY, PROMPT, Newsroom
from tests.model_double import ModelDouble

_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_SCROLL = """(place) => new Promise((done) => {
  const node = place ? document.querySelector(place) : document.scrollingElement;
  node.style.scrollBehavior = document.documentElement.style.scrollBehavior = "auto";
  const frames = [];
  let last = performance.now(), at = 0;
  const end = node.scrollHeight - node.clientHeight;
  requestAnimationFrame(function frame(now) {
    frames.push(now - last);
    last = now;
    at += 60;
    node.scrollTop = at;
    if (at < Math.min(end, 18000)) requestAnimationFrame(frame);
    else done(frames.slice(2).sort((one, other) => one - other));
  });
})"""


def scrolled(page: Page, cdp: CDPSession, place: str | None) -> str:
    """How long frames are, and the processor time of the main thread for each, which other programs change less; in ms."""
    before = thread_ms(cdp)
    told = page.evaluate(_SCROLL, place)
    own = (thread_ms(cdp) - before) / len(told)
    middle, late = told[len(told) // 2], told[int(len(told) * 0.95)]
    return f"{own:.1f} ms of the main thread a frame; median {middle:.0f}, 95 % {late:.0f}, most {told[-1]:.0f}, n {len(told)}"


def thread_ms(cdp: CDPSession) -> float:
    metrics = cdp.send("Performance.getMetrics")["metrics"]
    return 1000 * next(metric["value"] for metric in metrics if metric["name"] == "ThreadTime")


def main() -> None:
    with ModelDouble(Newsroom()) as double, sync_playwright() as playwright:
        settings = {"OPENAI_BASE_URL": double.base_url, "FACTCHECK_PORT": "0"}
        program = [sys.executable, "-m", "service.cli", "serve"]
        with subprocess.Popen(program, env=os.environ | settings, stderr=subprocess.PIPE, text=True) as service:
            listening = (re.search(r"Listening at: (http://\S+:\d+)", line) for line in service.stderr or ())
            url = next(found[1] for found in listening if found)
            browser = playwright.chromium.launch(executable_path=need_chromium(), args=FLAGS)
            page = browser.new_page(viewport={"width": 1360, "height": 900})
            page.goto(f"{url}/healthz")
            sizes = {}
            page.on("response", lambda got: sizes.update({got.url: max(got.request.sizes()["responseBodySize"], 0)}))
            for visit in ("first", "second"):
                sizes.clear()
                page.goto(url)
                page.wait_for_load_state("networkidle")
                painted = page.evaluate(_PAINT)
                print(f"{visit} visit: {sum(sizes.values())} bytes in {len(sizes)} files, first paint {painted:.0f} ms")
            page.fill("#text", MANY)
            page.evaluate("document.querySelector('.options').open = true")
            page.select_option("#prompt", PROMPT)
            sizes.clear()
            page.click("button.main")
            page.wait_for_selector("body[data-state=shown] #tools:not([hidden])")
            drawn = next(size for address, size in sizes.items() if address.endswith("/room/view"))
            print(f"{page.locator('.card').count()} claims drawn: {drawn} bytes")
            cdp = page.context.new_cdp_session(page)
            cdp.send("Performance.enable")
            print("the page scrolls:", scrolled(page, cdp, None))
            print("the list scrolls:", scrolled(page, cdp, "#claims"))
            browser.close()
            service.terminate()
            service.communicate()


if __name__ == "__main__":
    main()
