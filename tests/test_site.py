"""The website: built once with warnings as errors, read with an HTML parser, then every page opened in a browser."""
import functools
import http.server
import importlib.util
import re
import shutil
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import nbformat
import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]
CHAPTERS = [p.stem for p in sorted((ROOT / "nbs").glob("[0-9]*.ipynb"))]
MODULES = [p.stem for p in sorted((ROOT / "vampbook").glob("[a-z]*.py"))]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id):
    if not importlib.util.find_spec("sphinx"): pytest.skip("Sphinx is not installed: pip install -e '.[dev]'")
    folder = (tmp_path_factory.getbasetemp().parent if worker_id != "master" else tmp_path_factory.mktemp("site")) / "website"
    with FileLock(f"{folder}.lock"):                              # one build for all workers
        log = folder / "log"
        if not log.exists():
            done = subprocess.run([sys.executable, ROOT / "site" / "build.py", folder], capture_output=True, text=True)
            folder.mkdir(exist_ok=True)
            log.write_text("" if done.returncode == 0 else f"{done.stdout}{done.stderr}\nexit {done.returncode}")
    assert not log.read_text(), log.read_text()[-6000:]
    return folder / "html"


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.path, self.ids, self.links, self.sources, self.classes = path, set(), [], [], {}
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if a.get("id"): self.ids.add(a["id"])
        for name in (a.get("class") or "").split(): self.classes.setdefault(name, []).append(a)
        if tag == "a" and a.get("href"): self.links.append(a["href"])
        if tag in ("img", "script", "iframe", "source", "video") and a.get("src"): self.sources.append(a["src"])
        if tag == "link" and a.get("rel") != "canonical" and a.get("href"): self.sources.append(a["href"])


@pytest.fixture(scope="session")
def pages(site):
    return {p.relative_to(site).as_posix(): Page(p) for p in site.rglob("*.html") if "_static" not in p.parts}


def test_every_chapter_has_its_page(site, pages):
    for i, name in enumerate(CHAPTERS):
        page = pages[f"{name}.html"]
        assert f"https://colab.research.google.com/github/vampbook/vampbook/blob/main/nbs/{name}.ipynb" in page.links
        download, = {link for link in page.links if link.endswith(f"/{name}.ipynb") and not link.startswith("http")}
        assert (site / download).read_bytes() == (ROOT / "nbs" / f"{name}.ipynb").read_bytes()
        neighbours = [(side, CHAPTERS[j]) for side, j in (("left-prev", i - 1), ("right-next", i + 1)) if 0 <= j < len(CHAPTERS)]
        for side, other in neighbours:
            assert page.classes[side][0]["href"] == f"{other}.html"
        assert f"{name}.html" in pages["index.html"].links


def test_every_figure_is_on_its_page(pages):
    for name in CHAPTERS:
        cells = nbformat.read(ROOT / "nbs" / f"{name}.ipynb", 4).cells
        kinds = [[kind for o in c.get("outputs", []) for kind in o.get("data", {})] for c in cells]
        assert sum("_images/" in s for s in pages[f"{name}.html"].sources) == sum(k.count("image/png") for k in kinds), name
        widgets = sum("application/vnd.jupyter.widget-view+json" in k for k in kinds)
        assert widgets == sum(s.startswith("data:image/png") for s in pages[f"{name}.html"].sources), f"{name}: no stored picture of an explorer"


def test_every_module_has_its_page_and_names(pages):
    import vampbook
    for module in MODULES:
        page = pages[f"api/{module}.html"]
        names = importlib.import_module(f"{vampbook.__name__}.{module}").__all__
        assert [n for n in names if f"vampbook.{module}.{n}" not in page.ids] == [], module


def test_no_local_link_is_broken(site, pages):
    broken = []
    for name, page in pages.items():
        for link in page.links + page.sources:
            parts = urlsplit(link)
            if parts.scheme: continue
            path, anchor = urldefrag(link)
            target = (page.path.parent / unquote(urlsplit(path).path)).resolve() if path else page.path
            key = target.relative_to(site.resolve()).as_posix()
            if not target.exists() or (anchor and key in pages and unquote(anchor) not in pages[key].ids): broken.append((name, link))
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(site, pages):
    assert [(name, s) for name, page in pages.items() for s in page.sources if urlsplit(s).netloc] == []
    outside = re.compile(r"(url\(|@import\s)[\s\"'(url]*(https?:)?//")
    assert [p.name for p in site.glob("_static/**/*.css") if outside.search(p.read_text())] == []


def test_search_index(site):
    index = (site / "searchindex.js").read_text()
    assert all(f'"{name}"' in index for name in CHAPTERS) and "pseudo" in index


# ---- in a browser

LOOK = """async () => {
    await (window.MathJax?.startup?.promise);
    const faults = [], hidden = "script, style, pre, code, mjx-container, dl.py";   // docstrings are plain text
    const article = document.querySelector("article") ?? document.body;
    for (const formula of document.querySelectorAll("mjx-merror, mjx-mtext[style*='red']"))   // an error, an unknown command
        faults.push("formula: " + formula.textContent);
    const texts = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode.textContent, parent = texts.currentNode.parentElement;
        if (/\\$[^$]+\\$|\\$\\$|\\\\[a-zA-Z(\\[{|]|[_^]\\{|\\]\\(|\\*\\*|\\|\\s*-{3}/.test(text) && !parent.closest(hidden)) faults.push("raw TeX or Markdown: " + text.trim());
    }
    for (const image of document.images) await image.decode().catch(() => faults.push("image: " + image.src));
    return faults;
}"""

OVERFLOW = """() => {
    const width = document.documentElement.clientWidth, faults = [];
    if (document.documentElement.scrollWidth > width) faults.push(`page is ${document.documentElement.scrollWidth} wide`);
    const scrolls = e => e && (getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement?.closest("article *")));
    for (const e of document.querySelectorAll("article *"))
        if (e.getBoundingClientRect().right > width + 1 && !e.closest("mjx-assistive-mml") && !scrolls(e)) faults.push("too wide: " + e.outerHTML.slice(0, 120));
    return faults.slice(0, 3);
}"""


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install -e '.[dev]'")
    if not BROWSER: pytest.skip("no Chromium or Chrome is installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-background-networking"])
        yield browser
        browser.close()


@pytest.fixture
def server(site):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args): pass
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def watched(browser, home, faults):
    "A tab that appends to `faults` what goes wrong, requests to anywhere but `home` among it."
    tab = browser.new_page()
    tab.on("request", lambda request: request.url.startswith((home, "data:", "blob:")) or faults.append(f"external: {request.url}"))
    tab.on("requestfailed", lambda request: faults.append(f"failed: {request.url}"))
    tab.on("response", lambda response: response.status >= 400 and faults.append(f"{response.status}: {response.url}"))
    tab.on("console", lambda message: message.type in ("error", "warning") and faults.append(f"console: {message.text}"))
    tab.on("pageerror", lambda error: faults.append(f"error: {error}"))
    return tab


def test_every_page_in_a_browser(site, pages, server, browser):
    found, faults = {}, []
    tab = watched(browser, server, faults)
    for name in sorted(pages):
        tab.set_viewport_size({"width": 1200, "height": 900})
        tab.goto(f"{server}/{name}")
        faults += tab.evaluate(LOOK) + tab.evaluate(OVERFLOW)
        tab.set_viewport_size({"width": 375, "height": 800})
        faults += [f"375 px: {fault}" for fault in tab.evaluate(OVERFLOW)]
        if faults: found[name] = faults[:]
        faults.clear()
    assert found == {}


def test_search_finds_a_chapter(server, browser, pages):
    tab = watched(browser, server, faults := [])
    tab.goto(f"{server}/search.html?q=pseudo-inputs")
    tab.wait_for_selector("#search-results a[href*='priors.html']")
    assert faults == []


def test_a_chapter_from_the_disk(site, browser):
    home = site.as_uri()
    tab = watched(browser, home, faults := [])
    tab.goto(f"{home}/10_priors.html")
    assert tab.evaluate(LOOK) + tab.evaluate(OVERFLOW) + faults == []
    assert tab.locator("mjx-container").count() > 20
