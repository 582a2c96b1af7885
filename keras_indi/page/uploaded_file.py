"""Gradio's file component, without its downloads."""

import types
from typing import Any

from keras_indi.page.refused import Refused


def uploaded_file(gradio: types.ModuleType, **options: Any) -> Any:
    """Make a `gradio.File` that takes uploads alone.

    Gradio's own takes an address too, from which the server downloads a file: a page
    would ask others outside for what its users say.

    Args:
        gradio: The module.
        **options: Arguments of `gradio.File`.
    """
    file = gradio.File(**options)
    move, move_later = (
        file.move_resource_to_block_cache,
        file.async_move_resource_to_block_cache,
    )

    def move_local(path: Any) -> Any:
        _check_local(path)
        return move(path)

    async def move_local_later(path: Any) -> Any:
        _check_local(path)
        return await move_later(path)

    # On the object, as Gradio writes a file beside the module of a class that extends
    # one of its own.
    file.move_resource_to_block_cache = move_local
    file.async_move_resource_to_block_cache = move_local_later
    return file


def _check_local(path: Any) -> None:
    if "://" in str(path):
        raise Refused("This page downloads nothing. Upload the photograph.")
