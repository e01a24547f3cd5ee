#!/usr/bin/env python3
"""Shows that check_page.py finds what it looks for: a good page passes, each fault fails its own checks and no other.

  check_page_selftest.py

Needs what check_page.py needs; without it the test is skipped: exit code 77.
"""

import contextlib
import io
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import check_page  # goes on in its Python environment, or ends here with 77

CHECKER = Path(check_page.__file__)
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
GOOD = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A report</title>
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; connect-src *; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<style>
body {{ background: #fff; color: #111; font-family: sans-serif; margin: 1em; }}
a {{ color: #00c; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #eee; }} a {{ color: #9cf; }} }}
.skip {{ position: absolute; left: -9999px; }}
.skip:focus {{ left: 1em; }}
.hidden {{ position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }}
.hidden:focus-visible + label {{ outline: 2px solid black; }}
button {{ outline: none; transition: box-shadow 1s; }}
button:focus-visible {{ box-shadow: 0 0 0 3px #07c; }}
.wide {{ overflow-x: auto; }}
@media print {{ .wide {{ overflow: visible; }} }}
/*style*/
</style></head><body>
<a class="skip" href="#main">To the content</a>
<main id="main" tabindex="-1"><h1>A report</h1>
<p>Of 40 cases <a href="#more">these</a> are shown. <img src="{DOT}" alt="a dot"></p>
<fieldset><legend>Order</legend>
<input class="hidden" type="radio" name="by" id="one" checked><label for="one">by name</label>
<input class="hidden" type="radio" name="by" id="two"><label for="two">by size</label></fieldset>
<p><button type="button" id="button">Show</button> <button type="button" disabled>Not yet</button></p>
<details id="more"><summary>More</summary><p>And <a href="#main">back</a>.</p></details>
<div class="wide" tabindex="0" role="region" aria-label="Cases">
<table style="width: 900px"><tr><th>case</th><th>size</th></tr><tr><td>a</td><td>12</td></tr></table></div>
<!--body-->
</main>
<script>
console.log("a word");
document.getElementById("button").onclick = () => {{}};
//script
</script></body></html>
"""

SCREENS = ["light 1280", "dark 1280", "light 400", "dark 400"]
VIEWS = [*SCREENS, "print"]  # with JavaScript
EVERYWHERE = [*VIEWS, "no JavaScript"]
KEYS, NARROW = ["light 1280", "dark 1280"], ["light 400", "dark 400"]

SILENT, ALONE, AXE = "silent on the console", "asks for nothing but itself", "axe"
SIDE, SIDE_OPEN = "no scrolling to the side", "no scrolling to the side, all details open"
TAB, SEEN = "Tab reaches every interactive element", "the focus is seen"
TEXT = "the text of <main> is there"
PDF = ["PDF"] if shutil.which("pdftotext") else []


def each(views, *checks):
    return {f"{view}: {check}" for view in views for check in checks}


# Of each fault: what is written before marks of the good page, the checks that fail for it, and how often a text is printed.
STYLE, BODY, SCRIPT, DETAILS = "/*style*/", "<!--body-->", "//script", "<p>And"
FAULTS = {
    "1 opened in dark": (
        {STYLE: "@media (prefers-color-scheme: dark) { h1 { color: #333; } summary { outline: none; } }"},
        each(NARROW[1:], AXE) | each(KEYS[1:], AXE, SEEN),
        {"color-contrast (serious)": 2, "with the focus: <summary>": 1}),
    "1 opened for print": (
        {STYLE: "@media print { main { display: none; } }",
         SCRIPT: "if (matchMedia('print').matches) console.error('oh');"},
        each(["print"], TEXT, SILENT, *PDF), {"0 characters in <main>": 1}),
    "2 console": (
        {SCRIPT: "console.error('one'); console.warn('two'); setTimeout(() => three(), 20); Promise.reject(new Error('four'));"
                 "throw new Error('five');"},
        each(VIEWS, SILENT),
        {"error: one": 5, "warning: two": 5, "page error: three is not": 5, "page error: four": 5, "page error: five": 5}),
    "2 requests": (
        {"<title>": '<link rel="preconnect" href="https://example.org">',
         BODY: '<img src="https://example.org/a.png" alt="a"><img src="a.png" alt="a">'
               '<div style="height: 9000px"></div><img loading="lazy" width="9" height="9" src="late.png" alt="late">',
         SCRIPT: "fetch('https://example.org/b').catch(() => 0); new WebSocket('wss://example.org/c');"},
        each(EVERYWHERE, SILENT, ALONE),
        {"preconnect: ": 6, "image: https:": 6, "image: file:": 12, "fetch: https:": 5, "websocket: wss:": 5}),
    "3 axe": (
        {BODY: f'<img src="{DOT}">', DETAILS: '<p style="color: #888; background: #999">Grey</p>'},
        each(SCREENS, AXE), {"image-alt (critical)": 4, "color-contrast (serious)": 4}),
    "4 width": (
        {STYLE: "body { overflow-x: hidden; }", BODY: '<div id="wide" style="width: 600px">wide</div>'},
        each(NARROW, SIDE, SIDE_OPEN), {"div#wide": 4}),
    "4 width of details": ({DETAILS: '<div style="width: 600px">wide</div>'}, each(NARROW, SIDE_OPEN), {}),
    "5 size": ({SCRIPT: "// " + "x" * 5_000_000 + "\n"}, {"below 5 MB"}, {}),
    "6 no JavaScript": (
        {SCRIPT: "document.querySelector('h1').append(' word'.repeat(200));",
         BODY: "<noscript>" + "Please use it. " * 100 + '<img src="a.png" alt="a"></noscript>'},
        each(EVERYWHERE[5:], TEXT, SILENT, ALONE), {}),
    "7 keyboard": (
        {STYLE: "button:focus-visible { box-shadow: none !important; } p > a:focus-visible { outline: 2px solid #0000; }"
                ".ring { outline: 2px solid black !important; }",
         BODY: '<button tabindex="-1">no</button><span onclick="0">click</span><a class="ring" href="#main">always</a>'},
        each(KEYS, TAB, SEEN),
        {"not reached: <button> no": 2, "not reached: <span> click": 2, "focus: <button#button> Show": 2,
         "focus: <a> these": 2, "focus: <a> always": 2, "not reached": 4, "looks the same": 8}),
    "7 a trap": (
        {SCRIPT: "document.getElementById('button').onblur = event => event.target.focus();"}, each(KEYS, TAB),
        {"not reached: <summary> More": 2}),
}


def wrong(browser, page, fault):
    """What the checker got wrong about a page with this fault."""
    changes, failed, texts = FAULTS[fault]
    html = GOOD
    for mark, before in changes.items():
        assert html.count(mark) == 1, mark
        html = html.replace(mark, before + mark)
    page.write_text(html, encoding="utf-8")
    report, printed = check_page.Report(), io.StringIO()
    with contextlib.redirect_stdout(printed):
        check_page.check(browser, page, report)
    found = [f"{name}: not found" for name in sorted(failed - set(report.failed))]
    found += [f"{name}: found, but it is not there" for name in sorted(set(report.failed) - failed)]
    for text, count in texts.items():
        if printed.getvalue().count(text) != count:
            found.append(f"'{text}' is printed {printed.getvalue().count(text)} times, wanted {count}")
    return found + [f"  {line[:200]}" for line in printed.getvalue().splitlines() if found]


def run(*arguments, **environment):
    done = subprocess.run([sys.executable, CHECKER, *arguments], capture_output=True, text=True,
                          env={**os.environ, **environment})
    return done.returncode, (done.stdout.strip().splitlines() or [done.stderr])[-1]


def png_size(file):
    return struct.unpack(">II", file.read_bytes()[16:24])


def wrong_program(folder):
    """What the program does wrong with a good page, a bad one, and without its browser or its packages."""
    good, bad, shots = folder / "good.html", folder / "bad.html", folder / "shots"
    good.write_text(GOOD, encoding="utf-8")
    bad.write_text(GOOD.replace("<h1>", "<h2>").replace("</h1>", "</h2>"), encoding="utf-8")  # axe: no heading of level one
    found = []
    for what, got, wanted in [
            ("a good page", run(good, "--shots", shots), (0, "page: 28 checks, 0 failures")),
            ("a bad page", run(bad), (1, "page: 28 checks, 4 failures")),
            ("no page", run(folder / "none.html")[0], 2),
            ("no browser", run(good, FOVEA_CHROMIUM="/nowhere/chromium")[0], 77)]:
        if got != wanted:
            found.append(f"{what}: {got}, wanted {wanted}")
    bare = subprocess.run(["python3", "-S", CHECKER, good], capture_output=True, text=True,
                          env={**os.environ, "FOVEA_PAGE_VENV": str(folder / "none")})
    if bare.returncode != 77 or not bare.stdout.startswith("skipped: no Python package"):
        found.append(f"no packages: exit code {bare.returncode}, {bare.stdout}{bare.stderr}")
    for name, width in (("light-1280", 1280), ("dark-1280", 1280), ("light-400", 400)):
        if png_size(shots / f"{name}.png")[0] != width:
            found.append(f"{name}.png: {png_size(shots / f'{name}.png')}")
    if (shots / "light-1280.png").read_bytes() == (shots / "dark-1280.png").read_bytes():
        found.append("the picture in dark is that in light")
    if not list(shots.glob("print*.png")):
        found.append("no picture of the print")
    return found


def main():
    if not check_page.program():
        check_page.skip(f"no program {' or '.join(check_page.BROWSERS)}")
    check_page.SETTLE = 100
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        with check_page.browser() as browser:
            for fault in FAULTS:
                found = wrong(browser, folder / "page.html", fault)
                failures += bool(found)
                print("\n       ".join([f"{'FAIL' if found else 'ok  '} {fault}", *found]), flush=True)
        found = wrong_program(folder)
        failures += bool(found)
        print("\n       ".join([f"{'FAIL' if found else 'ok  '} the program", *found]))
    print(f"check_page_selftest: {len(FAULTS) + 1} tests, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
