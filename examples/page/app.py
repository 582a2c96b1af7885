"""The page, as a Space of Hugging Face or any host of Gradio applications starts it.

    python app.py

Listens on GRADIO_SERVER_NAME and GRADIO_SERVER_PORT, or on all addresses at port 7860.
"""

import os

# Before Keras is imported, which reads it then.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from keras_indi.page import Limits, serve  # noqa: E402

if __name__ == "__main__":
    serve(
        preset=os.environ.get("KERAS_INDI_PRESET"),
        host=os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0"),
        port=int(os.environ.get("GRADIO_SERVER_PORT", "7860")),
        limits=Limits(max_megapixels=12, max_megabytes=50),
    )
