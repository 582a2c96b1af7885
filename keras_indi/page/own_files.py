"""Restriction of Gradio's components to the page's own files."""

import pathlib
from typing import Any

from keras_indi.page.refused import Refused


def check_own(path: Any, folder: pathlib.Path) -> None:
    """Raise an error unless a path is that of an uploaded or written file.

    Args:
        path: The path in a request.
        folder: `pathlib.Path` of uploads and results, resolved.

    Raises:
        Refused: If it is any other file, or a URL.
    """
    try:
        file = pathlib.Path(path).resolve()
    except (TypeError, ValueError, OSError, RuntimeError):  # the last: a loop of links
        file = None
    if file is None or not file.is_relative_to(folder) or file.is_dir():
        raise Refused("Upload the photograph to this page.")


def keep_to_folder(block: Any, folder: pathlib.Path) -> None:
    """Make a Gradio component accept only files inside a folder.

    By default, Gradio copies every file named in a request into a folder that it
    serves, and downloads every URL.

    Args:
        block: `gradio.blocks.Block`.
        folder: As for `check_own`.
    """
    move, move_later = (
        block.move_resource_to_block_cache,
        block.async_move_resource_to_block_cache,
    )

    def move_own(path: Any) -> Any:
        check_own(path, folder)
        return move(path)

    async def move_own_later(path: Any) -> Any:
        check_own(path, folder)
        return await move_later(path)

    # On the object, as Gradio writes a file beside the module of a class that extends
    # one of its own.
    block.move_resource_to_block_cache = move_own
    block.async_move_resource_to_block_cache = move_own_later
