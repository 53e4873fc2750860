"""What Chromium 64 (January 2018) would not understand of our scripts and style sheets.

chromium_64_properties.txt is what that browser itself named when it was asked; so are NEW_NAMES,
against a browser of 2026. `python -m bench.old_chromium` walks a patient through it for real.
"""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from pygments.lexers import JavascriptLexer
from pygments.token import Comment, Literal, Name

STATIC = Path(__file__).parent.parent / "static"
SCRIPTS, SHEETS = sorted(STATIC.glob("*.js")), sorted(STATIC.glob("*.css"))
PROPERTIES = set((Path(__file__).parent / "chromium_64_properties.txt").read_text().split())

# --- Scripts ----------------------------------------------------------------------------------

NEW_SYNTAX = {"??", "??=", "||=", "&&=", "#", "class", "await"}
# Chromium 64 knows these, but ours stays ES5, as alur.js says.
AFTER_ES5 = {"=>", "...", "**", "`", "let", "const", "async", "yield", "import", "export"}
NEW_NAMES = """
AbortController AbortSignal AggregateError BigInt CloseWatcher FinalizationRegistry Sanitizer
TrustedHTML URLPattern WeakRef adoptedStyleSheets allSettled attachInternals canParse
checkVisibility enterKeyHint findLast findLastIndex flat flatMap fromAsync
fromEntries getAnimations getHTML globalThis groupBy hasOwn hidePopover inert isWellFormed
matchAll moveBefore popover queueMicrotask replaceAll replaceChildren reportError requestSubmit
scheduler setHTML showPicker showPopover startViewTransition structuredClone submitter
toReversed toSorted toSpliced toWellFormed toggleAttribute togglePopover trimEnd trimStart
withResolvers
"""
# htmx asks first whether the browser has it.
ASKED_FOR = {"htmx.min.js": {"startViewTransition"}}
NEW_SELECTORS = r":(?:is|where|has)\(|:focus-visible|:not\([^()]*,|:modal|:user-|:open\b|::backdrop"


def too_new(script: str) -> set[str]:
    """Words of a script's syntax, names, and selectors that Chromium 64 would stumble over."""
    tokens = [
        (kind, text)
        for kind, text in JavascriptLexer().get_tokens(script)
        if kind not in Comment and text.strip()
    ]
    code = [text for kind, text in tokens if kind not in Literal.String]
    joined = {a + b for a, b in pairwise(code)}
    found = {pair for pair in joined if re.fullmatch(r"\?\.|\.at|catch\{|\d+_\d*", pair)}
    found |= {text for kind, text in tokens if kind in Name} & set(NEW_NAMES.split())
    words = re.findall(NEW_SELECTORS, "".join(text for kind, text in tokens if kind in Literal))
    big = {text for kind, text in tokens if kind in Literal.Number and text.endswith("n")}
    return found | set(words) | big | {text for text in code if text in NEW_SYNTAX}


def after_es5(script: str) -> set[str]:
    return {text for _, text in JavascriptLexer().get_tokens(script) if text in AFTER_ES5}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_understood_by_chromium_64(path):
    script = path.read_text("utf-8")
    assert too_new(script) <= ASKED_FOR.get(path.name, set())
    if not path.name.startswith("htmx"):
        assert after_es5(script) == set()


STUMBLED_OVER = """
a?.b
a ?? b
a ??= b
try { a() } catch { b() }
class A { x = 1 }
9n + 1_0
[[1]].flat()
a.at(-1)
a.replaceAll('b', 'c')
globalThis.a
new AbortController()
form.requestSubmit()
document.querySelector('a:is(b, c)')
"""


@pytest.mark.parametrize("script", STUMBLED_OVER.strip().splitlines())
def test_what_is_too_new_is_seen(script):
    assert too_new(script)
    assert not too_new(f"// {script}\nvar x = a ? .5 : {{ b: 1 }}; try {{ x() }} catch (e) {{ }}")


# --- Style sheets -----------------------------------------------------------------------------

# Where it is missing, nothing is lost that somebody needs.
ORNAMENTS = {
    "accent-color": "a check box is the browser's blue",
    "scroll-padding": "what a link jumps to may stand under the row of buttons until one scrolls",
}
# A page that prints two kinds of paper needs names; without them it is the printer's own paper.
NAMED_PAGES = {
    "paper.css": {"a4": "the printer's paper", "a5": "A5 on A4, cut by hand"},
    "etiket.css": {"etiket": "the roll that is chosen in the print window"},
    "report.css": {"landscape": "turned in the print window; upright it is small"},
}
NEW_VALUES = (
    r"(?<![\w-])(?:min|max|clamp|env|color-mix|oklch|lab|lch|fit-content|round)\("
    r"|\d(?:dvh|svh|lvh|dvw|cqw|lh)\b|\b(?:clip|contents|subgrid|anywhere|revert)\s*(?:$|!)"
)
NEW_CONDITIONS = r"prefers-|[<>]|@(?!media|page)"


def problems_of(sheet: str, names: set[str] = frozenset()) -> list[str]:
    """What of a style sheet Chromium 64 would pass over, and no fallback stands before it."""
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    heads = [head.strip() for head in re.findall(r"@[^{};]*", sheet)]
    found = [head for head in heads if re.search(NEW_CONDITIONS, head)]
    pages = {head.split()[1] for head in heads if re.match(r"@page\s+\w", head)}
    for selector, block in re.findall(r"([^{}]*){([^{}]*)}", sheet):
        found += re.findall(NEW_SELECTORS + "|&", selector)
        understood = set()
        for name, value in re.findall(r"([\w-]+)\s*:\s*([^;]+)", block):
            is_known = name in PROPERTIES | set(ORNAMENTS) or name.startswith("--")
            if not is_known or (re.search(NEW_VALUES, value) and name not in understood):
                found.append(f"{name}: {value}")
            understood.add(name)
            pages |= {value} if name == "page" else set()
    return found + sorted(f"page {name}" for name in pages - names)


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_style_sheets_are_understood_by_chromium_64(path):
    names = set(NAMED_PAGES.get(path.name, ()))
    assert problems_of(path.read_text("utf-8"), names) == []


PASSED_OVER = """
a { gap: 1px }
a { inset: 0 }
a { margin-inline: 0 }
a { aspect-ratio: 1 }
a { width: min(1px, 2vw) }
a { height: 100dvh }
a { overflow: clip }
a:is(b) { top: 0 }
a:focus-visible { top: 0 }
a:not(b, c) { top: 0 }
a { page: ticket }
@page ticket { size: A4 }
@layer a { b { top: 0 } }
@media (width > 9px) { a { top: 0 } }
@media (prefers-contrast: more) { a { top: 0 } }
"""


@pytest.mark.parametrize("rule", PASSED_OVER.strip().splitlines())
def test_what_a_style_sheet_may_not_have_is_seen(rule):
    assert problems_of(rule)


def test_a_fallback_may_stand_before_what_is_new():
    assert problems_of("a { height: 100vh; height: 100dvh }") == []


def test_paper_of_a_size_of_its_own_is_asked_for_by_its_page_alone():
    """A roll's size in a sheet that every page loads would be a letter's size too."""
    sheets = {path.name: path.read_text("utf-8") for path in SHEETS}
    sizes = {name: re.findall(r"@page \{ size: ([^;]+)", text) for name, text in sheets.items()}
    assert sizes.pop("ticket.css") == ["58mm 100mm"] and sizes.pop("label.css") == ["58mm 40mm"]
    assert sizes["app.css"] == [] and set(sum(sizes.values(), [])) == {"A4"}
    templates = (STATIC.parent / "templates").rglob("*.html")
    loading = [p.name for p in templates if re.search(r"(ticket|label)\.css", p.read_text("utf-8"))]
    assert sorted(loading) == ["labels.html", "ticket.html"]
