"""The explorers in a real JupyterLab, driven in a real browser. Needs a Chromium on the machine; skipped without one."""
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

CHAPTER = Path(__file__).parent.parent / "nbs" / "21_explorers.ipynb"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
INSIDE = ("http://127.0.0.1:", "data:", "blob:", "https://colab.research.google.com/assets/colab-badge.svg")     # the last: the badge above every chapter
PICTURES = "() => [...document.querySelectorAll('img.widget-image')].map(image => image.naturalWidth ? image.src : '')"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    "A JupyterLab in an empty folder with nothing but the chapter -> its address."
    folder = tmp_path_factory.mktemp("lab")
    shutil.copy(CHAPTER, folder)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    homes = {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")} | {"OMP_NUM_THREADS": "1"}
    options = ["--allow-root", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={folder}"]
    server = subprocess.Popen([sys.executable, "-m", "jupyter", "lab", *options], env=os.environ | homes, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(120):
            try:
                urlopen(f"http://127.0.0.1:{port}/api").read()
                break
            except OSError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/lab/tree/{CHAPTER.name}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def page(lab):
    "The chapter in the browser, all cells run; what went wrong on the way is in `page.faults`."
    from playwright.sync_api import TimeoutError, sync_playwright
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 16000})    # all pictures in view: Jupyter draws only what can be seen
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(f"page error: {error}"))
        page.on("request", lambda request: page.faults.append(f"outside request: {request.url}") if not request.url.startswith(INSIDE) else None)
        page.on("dialog", lambda dialog: dialog.accept())         # leave the page all the same
        for attempt in range(3):                                  # a click on a page that is not quite ready is lost
            try:
                page.goto(lab)
                page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=60_000)
                page.wait_for_timeout(3000)
                page.click(".lm-MenuBar-itemLabel:text-is('Run')")
                page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")
                page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=busy]", timeout=20_000)
                page.wait_for_function(f"({PICTURES})().filter(Boolean).length == 4", timeout=180_000)
                break
            except TimeoutError:
                if attempt == 2: raise
        yield page
        browser.close()


def changed(page, act, n):
    "Does picture n change after `act`?"
    before = page.evaluate(PICTURES)[n]
    act()
    page.wait_for_function(f"before => {{ const now = ({PICTURES})()[{n}]; return now && now != before }}", arg=before, timeout=60_000)


def test_every_slider_changes_its_picture(page):
    sliders = page.locator(".widget-hslider").filter(has=page.locator(".noUi-handle"))
    owners = [0, 0, 1, 2, 2, 3]                                   # z1, z2; K; k, image; beta
    assert sliders.count() == len(owners)
    for i, owner in enumerate(owners):
        handle = sliders.nth(i).locator(".noUi-handle").first
        changed(page, lambda: (handle.focus(), page.keyboard.press("ArrowRight")), owner)


def test_point_follows_the_mouse(page):
    picture, sliders = page.locator("img.widget-image").first, page.locator(".widget-hslider .widget-readout")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()

    def drag():
        page.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + 0.3 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.6 * box["height"], steps=5)
        page.mouse.up()

    changed(page, drag, 0)
    page.wait_for_function("() => Number(document.querySelectorAll('.widget-hslider .widget-readout')[1].innerText) < 0", timeout=60_000)    # z2: below the middle
    assert float(sliders.nth(0).inner_text()) < 0                 # z1: left of it


def test_nothing_failed_and_nothing_was_fetched_from_outside(page):
    assert page.faults == []
