"""Controls of the page and their event handlers, in Gradio."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from keras_indi.images.formats import EXTENSIONS
from keras_indi.page import texts
from keras_indi.page.comparison_view import comparison_view
from keras_indi.page.gradio_package import import_gradio
from keras_indi.page.own_files import check_own, keep_to_folder
from keras_indi.page.refused import Refused
from keras_indi.page.requested import Requested
from keras_indi.page.restoration_service import RestorationService
from keras_indi.page.view import View

LOG = logging.getLogger("keras_indi.page")
FAILED = "The restoration failed. The log of the page has the reason."
ONE_AT_A_TIME = {"concurrency_limit": 1, "concurrency_id": "restoration"}
SWEEP = 60  # seconds


class Layout:
    """The page of a `RestorationService`.

    Args:
        service: `RestorationService`.

    Attributes:
        gradio: The module.
        page: `gradio.Blocks`, to be launched.

    Raises:
        ImportError: If Gradio is not installed.
    """

    def __init__(self, service: RestorationService) -> None:
        self._service = service
        self.gradio = gradio = import_gradio(service.files.folder)
        with gradio.Blocks(
            title="Restore a photograph",
            analytics_enabled=False,
            delete_cache=(SWEEP, service.limits.keep_seconds),
            fill_width=True,
        ) as self.page:
            gradio.Markdown(texts.welcome(service.limits.keep_seconds))
            with gradio.Row(equal_height=False):
                with gradio.Column(scale=2, min_width=320):
                    self._make_controls()
                with gradio.Column(scale=3, min_width=320, elem_id="results"):
                    self._make_results()
            self._connect()
        for block in self.page.blocks.values():
            keep_to_folder(block, service.files.folder)
        self.page.queue(max_size=service.limits.max_waiting)

    def _make_controls(self) -> None:
        gradio, service = self.gradio, self._service
        first = service.choices[service.suggested_preset]
        self._upload = gradio.File(
            label="Photograph",
            file_types=sorted(EXTENSIONS),
            type="filepath",
            height=150,
            elem_id="photograph",
        )
        self._file_text = gradio.HTML(elem_id="file-text")
        self._preset = gradio.Dropdown(
            choices=[(choice.label, name) for name, choice in service.choices.items()],
            value=first.name,
            label="Remove",
            filterable=False,
            elem_id="preset",
        )
        self._card = gradio.HTML(texts.preset_text(first), elem_id="card")
        self._steps = gradio.Slider(
            minimum=1,
            maximum=service.max_steps(first.name),
            value=first.num_steps,
            step=1,
            label="Steps",
            info="1 is closest to the original, more are sharper.",
            elem_id="steps",
        )
        self._curve = gradio.HTML(
            texts.dial_picture(first, first.num_steps), elem_id="curve"
        )
        with gradio.Accordion("More settings", open=False):
            self._samples = gradio.Slider(
                minimum=1,
                maximum=service.limits.max_samples,
                step=1,
                label="Draws",
                elem_id="draws",
                **texts.draws_setting(first),
            )
            self._enlarge = gradio.Checkbox(
                value=True,
                label="Enlarge",
                info="Off for a photograph that was enlarged already.",
                visible=first.scale > 1,
                elem_id="enlarge",
            )
            self._seed = gradio.Number(
                value=0,
                minimum=0,
                precision=0,
                label="Seed",
                info="Another number draws other noise.",
                elem_id="seed",
            )

    def _make_results(self) -> None:
        gradio = self.gradio
        # Above the results, so that all of them are in view on a wide screen.
        self._button = gradio.Button("Restore", variant="primary", elem_id="restore")
        self._progress = gradio.HTML(elem_id="progress")
        self._status = gradio.HTML(texts.WAITING, elem_id="status")
        self._comparison = gradio.HTML(elem_id="comparison")
        self._files = gradio.File(
            label="Download", interactive=False, visible=False, elem_id="files"
        )

    def _connect(self) -> None:
        gradio = self.gradio
        settings = [
            self._upload,
            self._preset,
            self._steps,
            self._samples,
            self._enlarge,
            self._seed,
        ]
        show, restore = self._restoring()
        # Events that only update the page do not queue behind restorations.
        at_once = {
            "queue": False,
            "show_progress": "hidden",
            "api_visibility": "private",
        }
        dial = [self._steps, self._curve, self._card, self._samples, self._enlarge]
        self._preset.change(self._turn_to, self._preset, dial, **at_once)
        # A file that is too large for one preset may fit another.
        gradio.on(
            [self._upload.change, self._preset.change],
            self._describe,
            [self._upload, self._preset, self._status],
            [self._file_text, self._status],
            **at_once,
        )
        self._steps.change(
            self._draw_curve,
            [self._preset, self._steps],
            self._curve,
            trigger_mode="always_last",
            **at_once,
        )
        self._button.click(
            show,
            settings,
            [self._progress, self._status, self._comparison, self._files],
            show_progress_on=self._progress,
            api_visibility="private",
            **ONE_AT_A_TIME,
        )
        # The same over HTTP, for clients that only want files.
        answer = [
            gradio.File(label="files", visible=False),
            gradio.Textbox(label="notes", visible=False),
        ]
        gradio.Button(visible=False).click(
            restore,
            settings,
            answer,
            api_name="restore",
            api_description="Restores a photograph: its files, and what to note.",
            **ONE_AT_A_TIME,
        )

    # === Event handlers ===

    def _describe(self, path: str | None, preset: str, status: str | None) -> tuple:
        """Describe the uploaded file, and clear an earlier refusal from the status."""
        if texts.is_refusal(status):
            status = texts.WAITING
        else:
            status = self.gradio.skip()
        if path is None:
            return "", status
        try:
            check_own(path, self._service.files.folder)
            info = self._service.check_file(path, Requested(preset))
        except Refused as error:
            return texts.refusal(str(error)), status
        return texts.file_text(info), status

    def _turn_to(self, preset: str) -> tuple:
        choice = self._service.choices[preset]
        steps = self.gradio.update(
            value=choice.num_steps, maximum=self._service.max_steps(preset)
        )
        return (
            steps,
            texts.dial_picture(choice, choice.num_steps),
            texts.preset_text(choice),
            self.gradio.update(**texts.draws_setting(choice)),
            self.gradio.update(visible=choice.scale > 1, value=True),
        )

    def _draw_curve(self, preset: str, num_steps: int) -> str:
        return texts.dial_picture(self._service.choices[preset], int(num_steps))

    def _restoring(self) -> tuple[Callable, Callable]:
        """Return the functions that restore: one for the page, one for API clients.

        Gradio hands them the bar that it finds among their defaults, and names the
        arguments over HTTP by theirs.
        """
        gradio = self.gradio
        bar = gradio.Progress()

        def show(photograph, preset, steps, draws, enlarge, seed, progress=bar):
            no_files = gradio.update(value=None, visible=False)
            settings = preset, steps, draws, enlarge, seed
            try:
                yield "", texts.WORKING, "", no_files
                for view in self._views(photograph, settings, progress):
                    outputs = [str(output) for output in view.outputs]
                    files = gradio.update(value=outputs, visible=bool(outputs))
                    text = texts.result_text(view, preset, int(steps))
                    yield "", text, comparison_view(view), files
            except Refused as error:
                yield "", texts.refusal(str(error)), "", no_files

        def restore(photograph, preset, steps, draws, enlarge, seed, progress=bar):
            settings = preset, steps, draws, enlarge, seed
            try:
                *_, view = self._views(photograph, settings, progress)
            except Refused as error:
                raise gradio.Error(str(error), print_exception=False) from error
            return [str(output) for output in view.outputs], "\n".join(view.notes)

        return show, restore

    def _views(
        self, path: str | None, settings: tuple, progress: Any
    ) -> Iterator[View]:
        if path is None:
            raise Refused("Upload a photograph first.")
        check_own(path, self._service.files.folder)
        preset, steps, draws, enlarge, seed = settings
        if None in settings:
            raise Refused("Steps, draws and seed must be numbers.")
        requested = Requested(preset, int(steps), int(draws), enlarge, int(seed))

        def report(done: int, total: int) -> None:
            progress((done, total), desc="Restoring", unit="parts")

        try:
            yield from self._service.restore(path, requested, report)
        except Refused:
            raise
        except Exception as error:  # backends raise of all kinds, with paths in it
            LOG.exception("A restoration failed.")
            raise Refused(FAILED) from error
