"""A real browser for the tests: Debian's Chromium, driven from outside, which prints pages as a user's would."""

import base64
import io
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from pypdf import PdfReader
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.print_page_options import PrintOptions

from tests.services import unavailable

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--lang=en-US",
)
A4 = (21.0, 29.7)
"""Its width and height in centimetres."""


@dataclass(frozen=True)
class Printed:
    """A page on paper."""

    pdf: PdfReader

    def __len__(self) -> int:
        return len(self.pdf.pages)

    def sheet(self, number: int) -> str:
        """The text of a sheet, from 1 on, its lines joined by spaces; to read all sheets takes long."""
        return " ".join(self.pdf.pages[number - 1].extract_text().split())

    @property
    def sizes(self) -> set[tuple[int, int]]:
        """The width and height of its sheets, in millimetres."""
        boxes = [each.mediabox for each in self.pdf.pages]
        return {(_millimetres(box.width), _millimetres(box.height)) for box in boxes}


@dataclass(frozen=True)
class Browser:
    """A browser window."""

    driver: webdriver.Chrome

    def open(self, address: str, token: str) -> None:
        """Show an address, with the token as the password that a browser sends."""
        parts = urlsplit(address)
        self.driver.get(parts._replace(netloc=f"somebody:{quote(token)}@{parts.netloc}").geturl())

    def text(self) -> str:
        """What can be read on the page, with plain spaces."""
        return str(self.script("return document.body.innerText")).replace("\N{NO-BREAK SPACE}", " ")

    def script(self, source: str) -> object:
        """What a script of ours finds out about the page."""
        found: object = self.driver.execute_script(source)
        return found

    def complaints(self) -> list[str]:
        """What the browser itself said against what it was shown."""
        return [str(each["message"]) for each in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def print(self) -> Printed:
        """The page on A4, as the printer would get it."""
        options = PrintOptions()
        options.page_width, options.page_height = A4
        return Printed(PdfReader(io.BytesIO(base64.b64decode(self.driver.print_page(options)))))


def _has_chinese() -> bool:
    """Whether any font has Chinese characters; without one, paper has boxes in their place."""
    lister = shutil.which("fc-list")
    return bool(lister and subprocess.run([lister, ":lang=zh-cn"], capture_output=True, check=True).stdout)


def _millimetres(points: float) -> int:
    return round(float(points) / 72 * 25.4)


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """A browser with an empty profile of its own in a folder, or no test."""
    chromium = shutil.which("chromium") or unavailable("there is no Chromium: install chromium")
    if not _has_chinese():
        unavailable("there is no font with Chinese characters: install fontconfig and fonts-wqy-microhei")
    driver = shutil.which("chromedriver") or unavailable("there is no driver: install chromium-driver")
    options = Options()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    started = webdriver.Chrome(options, Service(driver))
    try:
        started.set_page_load_timeout(30)
        yield Browser(started)
    finally:
        started.quit()
