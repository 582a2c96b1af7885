"""Gradio's file component, without its downloads."""

import pathlib
import types

from keras_indi.page.refused import Refused


def uploaded_file(gradio: types.ModuleType) -> type:
    """The class of a file component that takes uploads alone.

    Gradio's own takes an address too, from which the server downloads a file: a page
    would ask others outside for what its users say.

    Args:
        gradio: The module.
    """

    class UploadedFile(gradio.File):  # type: ignore[name-defined]
        """`gradio.File` for files that were uploaded to this page."""

        is_template = True  # shown as what it extends

        def move_resource_to_block_cache(self, url_or_file_path):
            _check_local(url_or_file_path)
            return super().move_resource_to_block_cache(url_or_file_path)

        async def async_move_resource_to_block_cache(self, url_or_file_path):
            _check_local(url_or_file_path)
            return await super().async_move_resource_to_block_cache(url_or_file_path)

    return UploadedFile


def _check_local(path: str | pathlib.Path | None) -> None:
    if "://" in str(path):
        raise Refused("This page downloads nothing. Upload the photograph.")
