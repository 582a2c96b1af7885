"""Takes the screenshots of docs/page.md, in Chromium by Playwright.

    python examples/page/pictures.py photo.png --output docs/pictures

The photograph is compressed to a JPEG file of quality 15 first, and restored by `jpeg`,
whose draws differ. Needs `pip install playwright` and a Chromium on the path.
"""

import argparse
import pathlib
import shutil
import socket
import tempfile

from PIL import Image
from playwright.sync_api import expect, sync_playwright

from keras_indi.page import RestorationService
from keras_indi.page.serving import running

QUALITY = 15
COLOURS = 256
expect.set_options(timeout=300_000)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photograph", type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path, default="docs/pictures")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        RestorationService("jpeg") as service,
        running(service, port=free_port()) as address,
        sync_playwright() as playwright,
    ):
        photo = pathlib.Path(folder) / "photo.jpg"
        with Image.open(arguments.photograph) as photograph:
            photograph.convert("RGB").save(photo, quality=QUALITY)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        asked = []
        take_all(browser, address, photo, arguments.output, asked)
        browser.close()
    hosts = {url.split("/")[2] for url in asked if url.startswith("http")}
    print(f"{len(asked)} requests, to {', '.join(sorted(hosts))}")


def take_all(browser, address, photo, output, asked):
    """Take all screenshots."""

    def opened(width, height):
        tab = browser.new_page(viewport={"width": width, "height": height})
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(address)
        return tab

    tab = opened(1280, 900)
    restore(tab, photo, steps=4)
    take(tab, output / "page-restored.png")

    tab = opened(960, 900)
    tab.get_by_text("More settings").click()
    set_number(tab, "#draws", 3)
    restore(tab, photo, steps=4)
    tab.locator(".compare figure").scroll_into_view_if_needed()
    take(tab.locator("#results"), output / "page-draws.png")

    tab = opened(390, 844)
    restore(tab, photo, steps=4)
    take(tab, output / "page-phone.png", full_page=True)

    tab = opened(1280, 420)
    text = photo.with_name("notes.png")
    text.write_text("not a photograph")
    tab.set_input_files("#photograph input[type=file]", text)
    expect(tab.get_by_role("alert").first).to_be_visible()
    tab.wait_for_timeout(500)
    take(tab, output / "page-refused.png")


def restore(tab, photo, steps):
    """Upload a photograph, and restore it."""
    if tab.locator("#file-text").inner_text() == "":
        tab.set_input_files("#photograph input[type=file]", photo)
    expect(tab.locator("#file-text")).to_contain_text("pixels")
    expect(tab.locator("#card")).to_contain_text("JPEG")
    set_number(tab, "#steps", steps)
    before = tab.locator("#status").inner_text()
    tab.locator("#restore").click()
    expect(tab.locator("#status")).not_to_have_text(before)
    expect(tab.locator("#status")).to_contain_text("Restored in")
    tab.wait_for_function(
        "[...document.querySelectorAll('.compare img')].every(i => i.naturalWidth)"
    )
    tab.evaluate("window.scrollTo(0, 0)")
    tab.wait_for_timeout(500)


def set_number(tab, selector, value):
    """Set a slider by its number."""
    field = tab.locator(f"{selector} input[type=number]")
    field.fill(str(value))
    field.press("Enter")


def take(what, path, **options):
    """A screenshot with few colours, so that it is small."""
    what.screenshot(path=path, **options)
    with Image.open(path) as picture:
        picture = picture.convert("RGB")
    # Without a palette Pillow does not dither. The page itself stays white.
    palette = picture.quantize(COLOURS)
    small = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    _, ground = max(small.getcolors())
    colours = small.getpalette()
    colours[3 * ground : 3 * ground + 3] = [255] * 3
    small.putpalette(colours)
    small.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
