"""Which backend exports models to programs without Keras."""

import keras


def check_exports() -> None:
    """Raises a RuntimeError unless the backend exports images of any size."""
    backend = keras.config.backend()
    if backend != "tensorflow":
        raise RuntimeError(
            "A model is exported from the TensorFlow backend, which leaves height and "
            "width free. Save it here with `model.save('model.keras')`; then run "
            "`keras_indi.load_restorer('model.keras').export(path)` in a process with "
            "the environment variable KERAS_BACKEND=tensorflow (`pip install "
            f"tensorflow`). Received: backend={backend!r}"
        )
