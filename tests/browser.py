"""A real browser for the tests of the pages: Chromium, headless, by its own driver."""

from __future__ import annotations

import base64
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

HOW_TO_GET_IT = "apt-get install -y --no-install-recommends chromium chromium-driver, and pip install selenium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESKTOP = (390, 844), (1280, 900)


class Browser:
    """What the tests ask of a browser."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, page: Path, size: tuple[int, int] = DESKTOP, **features: str) -> None:
        """Open a page in a window of that size, e.g. with `prefers_color_scheme="dark"`, or `media="print"`."""
        width, height = size
        media = features.pop("media", "")
        wanted = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.driver.get("about:blank")
        self.log()
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": wanted})
        self.driver.get(page.resolve().as_uri())

    def ask(self, script: str, *arguments: object):
        """What a piece of JavaScript returns."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str) -> list:
        return self.driver.find_elements("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        """The text of each element, also of hidden ones."""
        return self.ask(
            "return Array.from(document.querySelectorAll(arguments[0]), e => e.textContent.trim())", selector
        )

    def log(self) -> list[str]:
        """What the browser complained of since the last time: script errors, refused loads, broken policies."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def picture(self, path: Path) -> None:
        """The whole page, as long as it is, for whoever wants to look at it."""
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 8000), "scale": 1}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        path.write_bytes(base64.b64decode(shot["data"]))

    def printed(self) -> bytes:
        """The page as PDF, on the paper that its style sheet asks for."""
        options = {"preferCSSPageSize": True, "printBackground": False}
        return base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", options)["data"])


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser with a new profile in `folder`; the test is skipped where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason=f"no selenium; {HOW_TO_GET_IT}")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip(f"no chromium with its driver here; {HOW_TO_GET_IT}")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield Browser(started)
    finally:
        started.quit()
