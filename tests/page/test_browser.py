"""The page in a real browser: Chromium, driven by Playwright."""

import contextlib
import pathlib
import shutil

import numpy as np
import pytest

pytest.importorskip("gradio", reason="needs Gradio: the extra `page`")
pytest.importorskip("playwright", reason="needs Playwright: pip install playwright")
BROWSER = next(filter(None, map(shutil.which, ["chromium", "chromium-browser"])), None)
if BROWSER is None:
    pytest.skip("needs Chromium: apt-get install chromium", allow_module_level=True)

from page.pages import LIMIT, small_page, write_photograph  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import expect, sync_playwright  # noqa: E402

from keras_indi.images import write_png  # noqa: E402
from keras_indi.restoration import restore_files  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.backend_free]
expect.set_options(timeout=LIMIT * 1000)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    limits = {"max_megapixels": 1, "max_megabytes": 3, "max_waiting": 1}
    with small_page(tmp_path_factory.mktemp("page"), **limits) as page:
        yield page


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        # Without the sandbox, which root in a container has not.
        browser = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def users(page, browser):
    """A function that opens the page for another user, and checks what it asked for."""
    with contextlib.ExitStack() as stack:

        def open_page(**options):
            context = browser.new_context(accept_downloads=True, **options)
            stack.callback(context.close)
            tab = context.new_page()
            tab.set_default_timeout(LIMIT * 1000)
            asked, problems = [], []
            tab.on("request", lambda request: asked.append(request.url))
            tab.on("pageerror", lambda error: problems.append(str(error)))
            stack.callback(check, asked, problems)
            # Else Playwright begins to catch dialogues for files when one is expected,
            # some time after which the first ones are lost.
            tab.on("filechooser", lambda chooser: None)
            tab.goto(page.address)
            expect(tab.locator("#restore")).to_be_visible()
            return tab

        def check(asked, problems):
            assert len(asked) > 10
            own = (page.address, "data:", f"blob:{page.address}")
            assert [url for url in asked if not url.startswith(own)] == []
            assert problems == []

        yield open_page


@pytest.fixture
def tab(users):
    return users()


def upload(tab, path):
    tab.set_input_files("#photograph input[type=file]", path)


def restore(tab):
    """Restores, and waits for the result."""
    tab.locator("#restore").click()
    expect(tab.locator("#status")).to_contain_text("Restored in")


def downloaded(tab, link, folder):
    """The content of the file behind a link, downloaded by `link`, a function."""
    with tab.expect_download() as waiting:
        link()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def links(tab):
    return tab.locator("#files a")


def divider(tab):
    """Where the divider is, in percent."""
    style = "getComputedStyle(document.querySelector('.compare'))"
    return float(
        tab.evaluate(f"{style}.getPropertyValue('--divider')").strip().rstrip("%")
    )


def test_upload_dial_compare_download(page, tab, tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "deep.png"
    write_png(path, rng.integers(0, 65536, (60, 80, 3)).astype("uint16"))
    upload(tab, path)
    expect(tab.locator("#file-text")).to_contain_text("80 x 60 pixels, colour, 16 bits")
    tab.locator("#steps input[type=number]").fill("3")
    tab.locator("#steps input[type=number]").press("Enter")
    restore(tab)
    # What the result was made by, which a turned dial no longer says.
    expect(tab.locator("#status")).to_contain_text("small.keras, 3 steps: 80 x 60")

    # The pictures are shown at the photograph's own resolution.
    expect(tab.locator(".compare img.after")).to_be_visible()
    tab.wait_for_function(
        "[...document.querySelectorAll('.compare img')].every(i => i.naturalWidth)"
    )
    sizes = "i => [i.naturalWidth, i.naturalHeight]"
    for side in ("before", "after"):
        assert tab.locator(f".compare img.{side}").evaluate(sizes) == [80, 60]
    assert divider(tab) == 50
    box = tab.locator(".compare input[type=range]").bounding_box()
    middle = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + box["width"] / 2, middle)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] / 4, middle, steps=4)
    tab.mouse.up()
    assert divider(tab) == pytest.approx(25, abs=2)

    got = downloaded(tab, links(tab).first.click, tmp_path)
    assert got.name == "deep-restored.png"
    plain = restore_files(
        path, tmp_path / "plain", page.model, num_steps=3, dtype="float32"
    )
    assert got.read_bytes() == plain.written[0].read_bytes()


def test_the_dial_moves_the_mark_of_the_curve(page, tab):
    tab.get_by_label("Remove").click()
    tab.get_by_role("option", name="JPEG artefacts", exact=True).click()
    expect(tab.locator("#card")).to_contain_text("CC-BY-SA-4.0")
    expect(tab.locator("#card")).to_contain_text("quality 10 to 95")
    curve = tab.locator("#curve svg")
    expect(curve).to_be_visible()
    before = tab.locator("#curve circle.chosen").get_attribute("cx")
    tab.locator("#steps input[type=number]").fill("8")
    tab.locator("#steps input[type=number]").press("Enter")
    expect(tab.locator("#curve circle.chosen")).not_to_have_attribute("cx", before)
    assert curve.get_attribute("aria-label").endswith("Chosen: 8.")


def test_draws_are_shown_with_their_spread(tab, tmp_path):
    upload(tab, write_photograph(tmp_path / "a.png"))
    tab.get_by_text("More settings").click()
    tab.locator("#draws input[type=number]").fill("2")
    tab.locator("#draws input[type=number]").press("Enter")
    restore(tab)
    expect(links(tab)).to_have_count(2)
    expect(tab.locator(".compare img.spread")).to_be_visible()
    expect(tab.locator(".compare figcaption")).to_contain_text("grey levels")
    first = tab.locator(".compare img.after").get_attribute("src")
    tab.get_by_label("After:").select_option(label="draw 2")
    assert tab.locator(".compare img.after").get_attribute("src") != first


def test_draws_are_not_offered_where_they_are_equal(tab):
    tab.get_by_text("More settings").click()
    draws = tab.locator("#draws input[type=number]")
    draws.fill("3")
    draws.press("Enter")
    for name, offered in (("Noise", False), ("JPEG artefacts", True)):
        tab.get_by_label("Remove").click()
        tab.get_by_role("option", name=name, exact=True).click()
        (expect(draws).to_be_enabled if offered else expect(draws).to_be_disabled)()
        expect(draws).to_have_value("1")


def test_refused_files_are_named(tab, tmp_path):
    alert = tab.get_by_role("alert")
    text = tmp_path / "text.png"
    text.write_bytes(b"not an image")
    upload(tab, text)
    expect(tab.locator("#file-text")).to_contain_text("not a PNG")
    tab.locator("#restore").click()
    expect(tab.locator("#status")).to_contain_text("This file cannot be restored")
    assert str(tmp_path) not in tab.locator("body").inner_text()
    assert "Traceback" not in tab.locator("body").inner_text()

    tab.get_by_label("Clear").or_(tab.get_by_label("Remove this file")).first.click()
    large = tmp_path / "large.png"
    Image.new("RGB", (1001, 1000)).save(large)
    upload(tab, large)
    expect(tab.locator("#file-text")).to_contain_text("at most 1 are allowed")
    assert alert.count() >= 1
    # The reason why another file was refused is gone.
    expect(tab.locator("#status")).to_contain_text("appears here")


def test_what_is_too_large_for_one_preset_alone(tab, tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGB", (400, 400)).save(path)
    upload(tab, path)
    text = tab.locator("#file-text")
    for name, words in [
        ("4x super-resolution", "at most 1 are allowed"),
        ("Noise", "400 x 400 pixels, colour"),
    ]:
        tab.get_by_label("Remove").click()
        tab.get_by_role("option", name=name, exact=True).click()
        expect(text).to_contain_text(words)


def test_nothing_uploaded(tab):
    tab.locator("#restore").click()
    expect(tab.locator("#status")).to_contain_text("Upload a photograph first")


def test_a_file_beyond_the_limit(tab, tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(bytes(3 * 10**6 + 1))
    upload(tab, path)
    expect(tab.get_by_text("exceed the maximum allowed size").first).to_be_visible()


def test_two_users_at_once(page, users, tmp_path):
    tabs = users(), users()
    names = "one.png", "two.png"
    page.gate.clear()
    try:
        for tab, name, size in zip(tabs, names, (60, 70)):
            upload(tab, write_photograph(tmp_path / name, size, 80))
            expect(tab.locator("#file-text")).to_contain_text(f"80 x {size}")
            tab.locator("#restore").click()
            # Gradio's bar, of 50 pixels, does not lie over words.
            tab.locator("#progress [data-testid=status-tracker]").wait_for()
            assert tab.locator("#progress").bounding_box()["height"] >= 50
        expect(tabs[1].locator("#progress")).to_contain_text("queue: 1/1")
    finally:
        page.gate.set()
    for tab, name, size in zip(tabs, names, (60, 70)):
        expect(tab.locator("#status")).to_contain_text(f"80 x {size} pixels")
        got = downloaded(tab, links(tab).first.click, tmp_path)
        assert got.name == f"{name[:3]}-restored.png"
        with Image.open(got) as image:
            assert image.size == (80, size)
    assert page.busiest == 1


def test_a_full_queue_refuses_with_a_message(page, users, tmp_path):
    tabs = [users() for _ in range(3)]
    path = write_photograph(tmp_path / "a.png")
    page.gate.clear()
    try:
        for tab in tabs:
            upload(tab, path)
            expect(tab.locator("#file-text")).to_contain_text("80 x 60")
        for tab in tabs[:2]:
            tab.locator("#restore").click()
            tab.wait_for_timeout(1000)
        tabs[2].locator("#restore").click()
        expect(tabs[2].get_by_text("currently busy").first).to_be_visible()
    finally:
        page.gate.set()
    for tab in tabs[:2]:
        expect(tab.locator("#status")).to_contain_text("Restored in")
    restore(tabs[2])  # its turn has come


# Of what has the focus; the line of the divider stands for its input, over the picture.
OUTLINE = """() => {
    const line = ".compare input[type=range]:focus + .divider";
    const shown = document.querySelector(line) || document.activeElement;
    const style = getComputedStyle(shown);
    return {style: style.outlineStyle, width: style.outlineWidth};
}"""


def tab_to(tab, selector, most=60):
    """Presses Tab until what suits a selector has the focus."""
    for _ in range(most):
        tab.keyboard.press("Tab")
        if tab.evaluate("s => document.activeElement.matches(s)", selector):
            outline = tab.evaluate(OUTLINE)
            assert outline["style"] == "solid" and outline["width"] == "3px"
            return
    raise AssertionError(f"{selector} is not reached by the keyboard")


def test_by_keyboard_alone(tab, tmp_path):
    path = write_photograph(tmp_path / "a.png")
    tab_to(tab, "#photograph button")
    with tab.expect_file_chooser() as waiting:
        tab.keyboard.press("Enter")
    waiting.value.set_files(path)
    expect(tab.locator("#file-text")).to_contain_text("80 x 60")
    tab_to(tab, "#preset input")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Escape")
    tab_to(tab, "#steps input[type=range]")
    expect(tab.get_by_role("option")).to_have_count(0)  # the list is closed
    tab.keyboard.press("ArrowRight")
    expect(tab.locator("#steps input[type=number]")).to_have_value("3")
    tab_to(tab, "#restore")
    tab.keyboard.press("Enter")
    expect(tab.locator("#status")).to_contain_text("Restored in")
    tab_to(tab, ".compare input[type=range]")
    for _ in range(5):
        tab.keyboard.press("ArrowLeft")
    assert divider(tab) == 45
    tab_to(tab, "#files a")
    got = downloaded(tab, lambda: tab.keyboard.press("Enter"), tmp_path)
    assert pathlib.Path(got).name == "a-restored.png"


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(users, tmp_path, width):
    tab = users(viewport={"width": width, "height": 844}, has_touch=width < 400)
    upload(tab, write_photograph(tmp_path / "a.png", 300, 500))
    expect(tab.locator("#file-text")).to_contain_text("500 x 300")
    tab.get_by_text("More settings").click()
    restore(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    for selector in ("#photograph", "#preset", "#steps", "#curve", "#seed", "#restore"):
        box = tab.locator(selector).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, selector
        assert box["width"] >= 250, selector
    box = tab.locator(".compare img.after").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    # What is touched is as large as a finger.
    assert tab.locator("#restore").bounding_box()["height"] >= 36
    # At its actual pixels the photograph scrolls within its frame.
    tab.get_by_label("Actual pixels").check()
    assert tab.locator(".compare img.after").bounding_box()["width"] == 500
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
