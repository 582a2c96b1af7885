"""
Title: Export and serve
Author: The keras_indi developers
Date created: 2026/11/29
Last modified: 2026/11/29
Description: A preset as an ONNX file: run without Keras, compared with restore, behind HTTP.
Accelerator: None
"""

"""
## What we are going to do

A service that restores images needs no Keras, no TensorFlow and no training code. It needs
one file and a runtime. We

1. **export** a preset as an ONNX file, with all steps of the restoration in it;
2. **run** it with ONNX Runtime and Pillow only, in a process of its own;
3. **compare** the result with that of `restore`;
4. **serve** it over HTTP in some forty lines of Python, and call the service.

ONNX is written by TensorFlow, whichever backend you use. Install what exports and what runs
(the cell above does so, if it installs the package):

```shell
pip install ".[tensorflow,quickstart,onnx]" onnxruntime
```
"""

import http.client
import http.server
import io
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from skimage import data

import keras_indi

# A smoke run checks this tutorial in seconds, on an untrained network.
SMOKE = os.environ.get("KERAS_INDI_SMOKE") == "1"
RUN = pathlib.Path("runs/export_and_serve")
PICTURES = RUN / "pictures" if SMOKE else pathlib.Path("pictures")
PICTURES.mkdir(parents=True, exist_ok=True)
if SMOKE:
    print("Smoke run: an untrained network on a small image. It restores nothing.")

"""
## Export

The file holds one setting of the dial: sampler, time grid and number of steps are fixed when
you export. Height, width and number of images stay free. `uint8=True` lets it take and return
the bytes of an image. (The smoke run exports an untrained network.)
"""

preset = "jpeg"
if SMOKE:
    tiny = keras_indi.UNetBackbone(
        base_channels=4,
        channel_multipliers=(1, 2),
        blocks_per_level=1,
        condition_on_degraded=True,
    )
    made = keras_indi.InDI(tiny, noise_schedule=0.2)
    preset = str(made.save_to_preset(RUN / "preset"))

num_steps = 2
file = keras_indi.export.export_model(
    preset, RUN / "restorer.onnx", num_steps=num_steps, uint8=True, overwrite=True
)
for path in sorted(RUN.glob("restorer*")):
    print(f"{path.name:20} {path.stat().st_size / 1e6:.2f} MB")

"""
Beside the file are a description, for programs, and a script that restores one image. The
description names the preset, its licence, and what the inputs are:
"""

facts = json.loads((RUN / "restorer.onnx.json").read_text())
for name in ("preset", "license", "num_steps", "size_multiple", "noise_draws"):
    print(f"{name}: {facts.get(name)}")

"""
## Run it without Keras

A photograph, compressed too much, in a file:
"""

photograph = data.coffee()[60:316, 130:386]
if SMOKE:
    photograph = photograph[:48, :64]
compress = keras_indi.data.degradations.JPEGCompression(15)
degraded = compress(photograph, seed=0)
Image.fromarray(degraded).save(RUN / "degraded.png")

"""
Run the script that `export_model` has written, in a process of its own. It imports NumPy, ONNX
Runtime and Pillow, and nothing else: you can copy it, the file and the description to a
machine without Keras.
"""

script = RUN / "restorer.onnx.py"
print(script.read_text())
arguments = [str(RUN / "degraded.png"), str(RUN / "restored.png")]
subprocess.run([sys.executable, str(script), *arguments], check=True)

"""
## Compare

`restore` with the same number of steps and seed 0, in float32, as the file computes:
"""

model = keras_indi.load_restorer(preset, "float32")
expected = model.restore(degraded, num_steps=num_steps, seed=0)
by_file = np.asarray(Image.open(RUN / "restored.png"))
difference = np.abs(by_file.astype(int) - expected)
print(f"largest difference: {difference.max()} of 255")
print(f"pixels that differ: {100 * difference.any(-1).mean():.3f} %")

figure, axes = plt.subplots(1, 3, figsize=(7.8, 2.9), layout="constrained")
views = {"degraded": degraded, "restored by ONNX Runtime": by_file, "clean": photograph}
for axis, (title, image) in zip(axes, views.items()):
    axis.imshow(image)
    axis.set_title(title, fontsize=9)
    axis.axis("off")
figure.savefig(PICTURES / "export_restored.png", dpi=100)
plt.show()

"""
![Degraded, restored by the exported file, clean](pictures/export_restored.png)

The two compute the same sums in another order, so a value on the edge of rounding may come
out one level higher or lower.

## Serve it

The service needs three parts, which you can copy into a file of their own, `service.py`: they
use ONNX Runtime, Pillow and Python's standard library.

The first part decodes and restores. It loads the network once. It refuses images above two
megapixels *before* it decodes them, as a file of some kilobytes may hold a picture of
gigabytes. And it draws the noise of seed 0, so that the same image always gives the same
answer.
"""

import onnxruntime

session = onnxruntime.InferenceSession(file)


def read(encoded):
    """Decode an image of at most two megapixels."""
    image = Image.open(io.BytesIO(encoded))
    if image.width * image.height > 2_000_000:
        raise ValueError("The image has more than two megapixels.")
    return np.asarray(image.convert("RGB"))


def restore(image):
    """Restore an image by ONNX Runtime."""
    sides = (side + -side % facts["size_multiple"] for side in image.shape[:2])
    shape = (facts["noise_draws"], 1, *sides, 3)
    noise = np.random.default_rng((0, 0, 0, 1)).standard_normal(shape, "float32")
    (restored,) = session.run(None, {"images": image[None], "noise": noise})
    return restored[0]


"""
The second answers a request: an image comes in, a PNG goes out. It takes at most ten megabytes,
and waits at most ten seconds for them.
"""


class Service(http.server.BaseHTTPRequestHandler):
    """Restore the image of a POST request."""

    timeout = 10

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > 10_000_000:
            return self.send_error(413, "Send one image of at most 10 MB")
        try:
            image = read(self.rfile.read(int(length)))
        except Exception:  # Pillow raises of many kinds
            return self.send_error(400, "Send an image of at most two megapixels")
        answer = io.BytesIO()
        Image.fromarray(restore(image)).save(answer, "PNG")
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(answer.getvalue())


"""
The third listens on this machine only. In a file of its own, end it with
`server.serve_forever()`. Requests are answered one after another, as the network uses all
processors anyway. Here the server runs in a thread, on a port that is free (0).
"""

server = http.server.HTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("listening on port", server.server_port)

"""
Call it with the degraded image, and with something that is no image. In a terminal, that is

```shell
curl --data-binary @degraded.png http://127.0.0.1:PORT -o restored.png
```
"""


def call(body):
    """Send bytes to the service; return status and answer."""
    port = server.server_port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", "/", body)
    response = connection.getresponse()
    return response.status, response.read()


begin = time.perf_counter()
status, answer = call((RUN / "degraded.png").read_bytes())
seconds = time.perf_counter() - begin
refused, _ = call(b"no image")
server.shutdown()
server.server_close()

served = np.asarray(Image.open(io.BytesIO(answer)))
print(f"status {status}, {seconds:.2f} s, largest difference to the script's result:")
print(np.abs(served.astype(int) - by_file).max(), "of 255")
print("something else is refused with status", refused)

"""
Before others use it, put what you trust in front of it:
 a reverse proxy with TLS,
authentication and a limit of requests. `http.server` is made for small and internal uses.

## When not to export

- **You restore from Python anyway.** `model.restore` and `keras-indi restore` take less code,
  and are as fast.
- **Large images.** The exported file does not tile: two megapixels take about as much memory
  as `restore` with `tile_size=None`.
- **Many images.** `keras-indi beam` restores millions, and continues when interrupted.
- **A page for people.** `keras-indi page` has the dial, draws, and metadata.
- **Training.** The file cannot be trained. Keep the preset.

Export again for another number of steps, and after every training.

## When not to restore

A service restores whatever it is sent. It does not know that an image is clean already, that
it is a medical scan, or evidence. So say in its answer, its page or its contract: what comes
back is an estimate, with invented detail. Never let it replace the originals, and never feed
its answers into something that measures or decides.

## Time and result

Measured on two cores of a server CPU, TensorFlow, with the preset of version 0.2: 15 seconds,
the export included. The file has 15 MB. Its result and that of `restore` differed by at most 1
of 255, in 0.012 % of the pixels; the service returned exactly what the script wrote.
"""
