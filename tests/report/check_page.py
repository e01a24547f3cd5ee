#!/usr/bin/env python3
"""Looks at one HTML page as a reader's browser shows it, and says what is wrong with it.

  check_page.py PAGE.html [--shots FOLDER]

The page is opened from its file in headless Chromium: 1280 and 400 px wide, in light and in dark, on paper, and without
JavaScript. It must ask for no other file, say nothing on the console, satisfy axe, need no scrolling to the side, stay below
5 MB, and be usable with the Tab key alone. --shots writes pictures of it. The last line is `page: N checks, M failures`; the exit
code is 1 with a failure. scripts/setup-browser installs what this needs; without it the exit code is 77.

FOVEA_PAGE_VENV names another Python environment, FOVEA_CHROMIUM another browser.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fovea"
VENV = Path(os.environ.get("FOVEA_PAGE_VENV") or CACHE / "page-venv")
BROWSERS = [os.environ["FOVEA_CHROMIUM"]] if os.environ.get("FOVEA_CHROMIUM") else ["chromium-headless-shell", "chromium"]
MOST_BYTES = 5_000_000
WIDE, NARROW = 1280, 400
PAPER = 718  # px between the margins of A4
LEAST_TEXT = 0.8  # of what is read with JavaScript, without it and on paper
SETTLE = 300  # ms after loading, for what a page does later


def skip(reason):
    print(f"skipped: {reason}; scripts/setup-browser installs it")
    sys.exit(77)


try:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import Error, sync_playwright
except ImportError as absent:
    python = VENV / "bin" / "python"
    if Path(sys.prefix).resolve() == VENV.resolve() or not python.exists():
        skip(f"no Python package {absent.name} in {VENV}")
    os.execv(python, [python, *sys.argv])

# The text of <main> as it is rendered. What stands there only to say that JavaScript is missing does not count.
TEXT = """() => {
  const main = document.querySelector('main');
  if (!main || !main.checkVisibility()) return '';
  for (const one of main.querySelectorAll('noscript')) one.style.display = 'none';
  return main.innerText.replace(/\\s+/g, ' ').trim();
}"""

NAME = "one => one.tagName.toLowerCase() + (one.id && '#' + one.id) + [...one.classList].map(name => '.' + name).join('')"

# Whatever reaches over the right edge, unless it is cut or scrolls within its own box.
TOO_WIDE = """() => {
  const found = [...document.body.querySelectorAll('*')].filter(one => {
    if (one.getBoundingClientRect().right <= innerWidth + 0.5) return false;
    for (let box = one.parentElement; box && box !== document.body; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== 'visible') return false;
    return true;
  });
  const root = document.documentElement;
  return {page: Math.max(root.scrollWidth, document.body.scrollWidth), window: innerWidth,
          elements: found.slice(0, 5).map(NAME)};
}""".replace("NAME", NAME)

SCROLLERS = """() => [...document.querySelectorAll('main *')].filter(one =>
    one.scrollWidth > one.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(one).overflowX))
    .map(NAME)""".replace("NAME", NAME)

# Browsers open a connection for these, which no request tells of.
CONNECTIONS = """() => [...document.querySelectorAll('link[rel~=preconnect], link[rel~=dns-prefetch]')].map(
    one => one.rel + ': ' + one.href)"""

OPEN_ALL = "() => { for (const one of document.querySelectorAll('details')) one.open = true; }"

# Finds every element that Tab must reach, and remembers how it looks without the focus. Of radio buttons with one name Tab
# reaches one; within widgets of these roles the arrow keys go on from one that it reaches.
KEYBOARD = """() => {
  const kinds = 'a, button, input, select, textarea, summary, [tabindex], [onclick], [role=button], [role=tab]';
  const widget = '[role=tablist], [role=toolbar], [role=menu], [role=menubar], [role=radiogroup], [role=grid], ' +
                 '[role=listbox], [role=tree]';
  const wanted = one =>
      one.checkVisibility({visibilityProperty: true}) && one.type !== 'hidden' && !one.closest('[inert]') &&
      !one.matches(':disabled') && (one.tagName !== 'SUMMARY' || one.parentElement.tagName === 'DETAILS') &&
      !(one.getAttribute('tabindex') === '-1' &&
        (one.closest(widget) || !one.matches('a, button, input, select, textarea, summary, [onclick], [role=button]')));
  const carriers = one => [one, ...(one.labels || []), one.parentElement, one.nextElementSibling].filter(Boolean);
  const clear = colour => /rgba\\([^)]*, 0\\)/.test(colour);
  const ring = one => {
    const s = getComputedStyle(one), box = one.getBoundingClientRect();
    if (box.width < 4 || box.height < 4 || s.opacity === '0') return '';
    const outline = s.outlineStyle === 'none' || parseFloat(s.outlineWidth) === 0 || clear(s.outlineColor) ? '' :
                    [s.outlineStyle, s.outlineWidth, s.outlineColor].join(' ');
    const shadows = s.boxShadow.split(/,(?![^(]*\\))/).filter(
        one => one !== 'none' && !clear(one) && /[1-9]/.test(one.replace(/rgba?\\([^)]*\\)/, '')));
    return outline + '|' + shadows.join();
  };
  const name = one => {
    const id = one.id ? '#' + one.id : '', text = (one.innerText || one.value || one.textContent || '').trim();
    return '<' + one.tagName.toLowerCase() + id + '> ' + text.replace(/\\s+/g, ' ').slice(0, 40);
  };
  const all = [...document.querySelectorAll(kinds)].filter(wanted);
  document.activeElement.blur();
  const looks = new Map();
  for (const one of all) looks.set(one, carriers(one).map(ring));
  const group = one => one.type === 'radio' && one.name ? 'radio ' + one.name : one;
  const seen = new Set(), unseen = new Set();
  window.foveaKeyboard = {
    // Where the focus is after one more Tab: 'nowhere', 'again' where it was before, or 'new'.
    step() {
      const one = document.activeElement;
      if (!one || one === document.body || one === document.documentElement) return 'nowhere';
      if (seen.has(one)) return 'again';
      seen.add(one);
      for (const moving of document.getAnimations()) try { moving.finish(); } catch {}
      if (!looks.has(one)) return 'new';
      const box = one.getBoundingClientRect();
      const inside = box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
      const now = carriers(one).map(ring), before = looks.get(one);
      if (!inside || !now.some((look, i) => /[^|]/.test(look) && look !== before[i])) unseen.add(one);
      return 'new';
    },
    result() {
      const reached = new Set([...seen].map(group));
      return {elements: all.length, unreached: all.filter(one => !reached.has(group(one))).map(name),
              unseen: [...unseen].map(name)};
    },
  };
  return all.length;
}"""


class Report:
    """Counts the checks and prints each."""

    def __init__(self):
        self.checks = 0
        self.failed = []

    def check(self, name, problems, note=""):
        self.checks += 1
        problems = list(dict.fromkeys(problems))
        if problems:
            self.failed.append(name)
        print(f"{'FAIL' if problems else 'ok  '} {name}{': ' + note if note else ''}")
        for problem in problems[:20]:
            print(f"       {problem}")
        if len(problems) > 20:
            print(f"       and {len(problems) - 20} more")


class View:
    """The page in a window of its own, with what it said and what it asked for since."""

    def __init__(self, browser, path, width=WIDE, scheme="light", media="screen", scripts=True):
        self.url = path.as_uri()
        self.messages, self.requests, self.notes = [], [], []
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts,
            reduced_motion="reduce")
        self.context.on("console", self._on_console)
        self.context.on("weberror", lambda error: self.messages.append(f"page error: {error.error.message}"))
        self.context.on("request", self._on_request)
        self.context.route(lambda url: not self._own(url), lambda route: route.abort())  # nothing is really fetched
        self.page = self.context.new_page()
        self.page.on("websocket", lambda socket: self.requests.append(f"websocket: {socket.url}"))
        self.page.emulate_media(media=media, color_scheme=scheme, reduced_motion="reduce")
        self.page.goto(self.url)
        self.page.wait_for_timeout(SETTLE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def _own(self, url):
        return url.split("#")[0] == self.url or url.startswith("data:")

    def _on_console(self, message):
        wrong = message.type in ("error", "warning", "assert")
        url, line = message.location.get("url", ""), message.location.get("lineNumber", 0) + 1
        where = f" ({f'line {line}' if self._own(url) else url})" if url else ""
        (self.messages if wrong else self.notes).append(f"{message.type}: {message.text}{where}")

    def _on_request(self, request):
        if not self._own(request.url):
            self.requests.append(f"{request.resource_type}: {request.url}")

    def scroll(self):
        """Shows every part once, for what is loaded only then."""
        self.page.evaluate("() => scrollTo(0, document.documentElement.scrollHeight)")
        self.page.wait_for_timeout(SETTLE)
        self.page.evaluate("() => scrollTo(0, 0)")

    def say(self, report, name):
        self.page.wait_for_timeout(50)
        self.requests += self.page.evaluate(CONNECTIONS)
        for note in self.notes:
            print(f"     {name}: console {note}")
        report.check(f"{name}: silent on the console", self.messages)
        report.check(f"{name}: asks for nothing but itself", self.requests)


def nodes(finding):
    return [" ".join(str(part) for part in node["target"]) for node in finding["nodes"]]


def check_axe(report, view, name):
    result = Axe().run(view.page, options={"resultTypes": ["violations", "incomplete"]}).response
    problems = [f"{one['id']} ({one['impact']}): {one['help']}: {target}"
                for one in result["violations"] for target in nodes(one)]
    if not result["passes"]:
        problems.append("axe had nothing to look at")
    report.check(f"{name}: axe", problems, f"{len(result['passes'])} rules hold, {len(result['incomplete'])} incomplete")
    for one in result["incomplete"]:
        found = nodes(one)
        why = {check["message"] for node in one["nodes"] for check in node["any"] + node["all"] + node["none"]}
        print(f"     incomplete: {one['id']}: {len(found)} elements, {', '.join(found[:3])}: {'; '.join(sorted(why)[:2])}")


def check_width(report, view, name):
    for state in ("", ", all details open"):
        width = view.page.evaluate(TOO_WIDE)
        problems = []
        if width["page"] > width["window"]:
            problems = [f"{width['page']} px wide in a window of {width['window']}: {', '.join(width['elements'])}"]
        report.check(f"{name}: no scrolling to the side{state}", problems)
        view.page.evaluate(OPEN_ALL)


def check_keyboard(report, view, name):
    view.page.evaluate(OPEN_ALL)
    elements = view.page.evaluate(KEYBOARD)
    nowhere = 0
    for _ in range(4 * elements + 100):  # other things take the focus too: boxes that scroll
        view.page.keyboard.press("Tab")
        where = view.page.evaluate("() => foveaKeyboard.step()")
        nowhere += where == "nowhere"
        if where == "again" or nowhere == 2:
            break
    result = view.page.evaluate("() => foveaKeyboard.result()")
    note = f"{result['elements']} elements"
    report.check(f"{name}: Tab reaches every interactive element", [f"not reached: {one}" for one in result["unreached"]], note)
    report.check(f"{name}: the focus is seen", [f"looks the same with the focus: {one}" for one in result["unseen"]], note)


def check_text(report, text, full, name):
    """That what is shown here is about as much as in a window with JavaScript."""
    problems = []
    if not full:
        problems = ["no text in <main>"]
    elif len(text) < LEAST_TEXT * len(full):
        problems = [f"{len(text)} characters in <main>, {len(full)} in a window with JavaScript"]
    report.check(f"{name}: the text of <main> is there", problems, f"{len(text)} characters")


def check_pdf(report, data, shots):
    """That the PDF has text. Its first pages become pictures; True if they did."""
    problems = [] if data.startswith(b"%PDF") else ["no PDF"]
    if shutil.which("pdftotext") and not problems:
        text = subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True).stdout
        if not text.strip():
            problems = ["no text in the PDF"]
    report.check("print: PDF", problems, f"{len(data)} bytes")
    if not shots:
        return False
    (shots / "print.pdf").write_bytes(data)
    if not shutil.which("pdftoppm"):
        return False
    for old in shots.glob("print*.png"):
        old.unlink()
    subprocess.run(["pdftoppm", "-png", "-r", "80", "-l", "4", shots / "print.pdf", shots / "print"], check=True)
    return True


def check(browser, path, report, shots=None):
    size = path.stat().st_size
    report.check("below 5 MB", [] if size < MOST_BYTES else [f"{size} bytes"], f"{size} bytes")
    full = None
    for width in (WIDE, NARROW):
        for scheme in ("light", "dark"):
            name = f"{scheme} {width}"
            with View(browser, path, width, scheme) as view:
                if full is None:
                    full = view.page.evaluate(TEXT)
                view.scroll()
                if shots and name != f"dark {NARROW}":
                    view.page.screenshot(path=shots / f"{scheme}-{width}.png", full_page=True)
                if width == NARROW:
                    check_width(report, view, name)
                else:
                    check_keyboard(report, view, name)
                view.say(report, name)
                view.page.evaluate(OPEN_ALL)
                check_axe(report, view, name)
    with View(browser, path, media="print") as view:
        check_text(report, view.page.evaluate(TEXT), full, "print")
        view.page.set_viewport_size({"width": PAPER, "height": 1000})
        cut = view.page.evaluate(SCROLLERS)
        if cut:
            print(f"     print: boxes that scroll to the side, which paper cuts: {', '.join(cut)}")
        pictures = check_pdf(report, view.page.pdf(format="A4", print_background=True), shots)
        if shots and not pictures:
            view.page.screenshot(path=shots / "print.png", full_page=True)
        view.say(report, "print")
    with View(browser, path, scripts=False) as view:
        check_text(report, view.page.evaluate(TEXT), full, "no JavaScript")
        view.say(report, "no JavaScript")


def program():
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextlib.contextmanager
def browser():
    with sync_playwright() as playwright:
        # Names of other machines are not even looked up.
        started = playwright.chromium.launch(executable_path=program(), args=["--host-resolver-rules=MAP * ~NOTFOUND"])
        yield started
        started.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--shots", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    if not options.page.is_file():
        parser.error(f"no file {options.page}")
    if not program():
        skip(f"no program {' or '.join(BROWSERS)}")
    if options.shots:
        options.shots.mkdir(parents=True, exist_ok=True)
    report = Report()
    with browser() as started:
        print(f"{Path(program()).name} {started.version}")
        try:
            check(started, options.page.resolve(), report, options.shots)
        except Error as error:
            report.check("the page can be looked at", [error.message])
    print(f"page: {report.checks} checks, {len(report.failed)} failures")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
