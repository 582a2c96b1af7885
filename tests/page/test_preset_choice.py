"""What a page says of its presets, and the curve beside the dial."""

import html
import re
import xml.etree.ElementTree as ElementTree

import pytest

from keras_indi import presets
from keras_indi.page import texts
from keras_indi.page.preset_choice import PresetChoice, TradeOff, shipped_choices
from keras_indi.page.trade_off_picture import trade_off_picture

pytestmark = pytest.mark.backend_free
STRAIGHT = TradeOff("some images", [(1, 30.0, 0.3), (4, 28.0, 0.1)], None)


def test_the_shipped_presets_say_what_they_are_for():
    choices = shipped_choices()
    assert len(choices) == 5
    for name, choice in choices.items():
        metadata = presets.read_metadata(name)
        text = html.unescape(texts.preset_text(choice))
        for told in (metadata["description"], metadata["license"], name):
            assert told in text
        for data in metadata["training_data"]:
            assert data["name"] in text
        assert choice.num_steps == metadata["recommended"]["num_steps"]
        steps = [point[0] for point in choice.trade_off.points]
        assert steps == [1, 2, 4, 8, 16]
        rows = metadata["held_out_scores"]["scores"]
        first = next(row for row in rows if row["system"] == "1 step")
        assert choice.trade_off.points[0][1:] == (first["psnr"], first["lpips_alex"])


def test_captions_name_data_as_people_do():
    choices = shipped_choices()
    for name, words in [
        ("indi_small_blind", "JPEG of quality 15, Set5 and Kodak."),
        ("indi_small_jpeg", "JPEG of quality 15, Set5 and Kodak."),
        ("indi_small_denoise", "noise of sigma 25, CBSD68."),
        ("indi_small_defocus_deblur", "a radius of 1 to 5 pixels, CBSD68."),
        ("indi_small_super_resolution_x4", "of the width and height, Set5."),
    ]:
        caption = texts.dial_picture(choices[name], 2)
        assert "test photographs: " in caption and words in caption


def test_training_data_are_named_as_people_do():
    folder = re.compile(r"\b(train|eval\w*|validation)\b")
    for choice in shipped_choices().values():
        for data in choice.training_terms:
            assert not folder.search(data), data


def test_draws_are_offered_where_they_differ():
    choices = shipped_choices()
    for name, differ in (("indi_small_denoise", False), ("indi_small_jpeg", True)):
        setting = texts.draws_setting(choices[name])
        assert setting["interactive"] == differ == ("no noise" not in setting["info"])
    assert PresetChoice("mine.keras", {}).draws_differ


def test_a_preset_of_few_words():
    choice = PresetChoice("mine", {})
    assert (choice.scale, choice.num_steps, choice.trade_off) == (1, 1, None)
    assert "not stated" in texts.preset_text(choice)
    assert "no scores" in texts.dial_picture(choice, 3)


def test_words_of_a_preset_are_no_markup():
    words = {"description": "<script>x</script>", "license": "<b>", "task": "x"}
    scores = [
        {"data": "<i>", "system": system, "psnr": 1.0, "lpips_alex": value}
        for system, value in (("1 step", 0.2), ("2 steps", 0.1))
    ]
    words["held_out_scores"] = {"protocol": {"x": 1}, "scores": scores}
    choice = PresetChoice("<name>", words)
    shown = texts.preset_text(choice) + texts.dial_picture(choice, 1)
    assert not re.search("<script|<i>|<name>|<b><b>", shown)
    assert "<script" not in texts.refusal("<script>")


def circles(num_steps):
    """The centres of the measured points, and of the mark of the chosen number."""
    svg = ElementTree.fromstring(trade_off_picture(STRAIGHT, num_steps))
    found = [(float(c.get("cx")), float(c.get("cy"))) for c in svg.iter("circle")]
    return found[:-1], found[-1]


def test_the_mark_is_at_the_chosen_number():
    dots, mark = circles(1)
    assert mark == dots[0]
    # Closer is higher, and more natural is further left.
    assert dots[0][1] < dots[1][1] and dots[1][0] < dots[0][0]
    assert circles(4)[1] == dots[1]
    assert circles(16)[1] == dots[1]  # beyond what was measured
    # Two steps are half-way between one and four.
    middle = [(a + b) / 2 for a, b in zip(*dots)]
    assert circles(2)[1] == pytest.approx(middle, abs=0.11)


def test_the_picture_says_what_it_shows():
    svg = ElementTree.fromstring(trade_off_picture(STRAIGHT, 4))
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == (
        "Scores on some images. 1 step: 30.00 dB, LPIPS 0.300; 4 steps: 28.00 dB, "
        "LPIPS 0.100. Chosen: 4."
    )
