"""A page of a small model that runs in this process, for several tests."""

import contextlib
import dataclasses
import socket
import threading

from helpers import smooth_images, tiny_unet
from PIL import Image

from keras_indi.models import InDI
from keras_indi.page import Limits, RestorationService
from keras_indi.page.serving import running

LIMIT = 60  # seconds, for anything that a test waits for


@dataclasses.dataclass
class RunningPage:
    """A page, and what stands behind it.

    Attributes:
        address: String, with a slash at its end.
        service: `RestorationService`.
        model: String, the path of the model, which no answer may hold.
        gate: `threading.Event`; restorations wait while it is not set.
        under_way: List, with an entry for each restoration that is under way.
        busiest: Int, the most that were under way at once.
    """

    address: str
    service: RestorationService
    model: str
    gate: threading.Event
    under_way: list = dataclasses.field(default_factory=list)
    busiest: int = 0


@contextlib.contextmanager
def small_page(folder, **limits):
    """A context in which the page of a small model runs; a `RunningPage`."""
    path = folder / "small.keras"
    model = InDI(tiny_unet(gain=0.3), noise_schedule=0.2, value_range=(0, 255), seed=0)
    model.restore_defaults = {"num_steps": 2}
    model.save(path)
    with RestorationService(str(path), Limits(**limits), "float32") as service:
        gate = threading.Event()
        gate.set()
        with running(service, port=free_port()) as address:
            page = RunningPage(address, service, str(path), gate)
            restore = service.restore

            def gated(*arguments):
                page.under_way.append(1)
                page.busiest = max(page.busiest, len(page.under_way))
                try:
                    if not gate.wait(LIMIT):
                        raise RuntimeError("the test has not opened the gate")
                    yield from restore(*arguments)
                finally:
                    page.under_way.pop()

            service.restore = gated
            yield page


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_photograph(path, height=60, width=80):
    """Writes a small photograph, with a camera's name in its EXIF; its path."""
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    pixels = smooth_images(1, height, width)[0].astype("uint8")
    Image.fromarray(pixels).save(path, exif=exif)
    return path
