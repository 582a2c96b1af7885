"""The contact sheet."""

import numpy as np

from keras_indi.evaluation.figures import LABEL_HEIGHT, MARGIN, contact_sheet


def test_images_stand_in_their_cells_under_their_labels():
    rows = [
        [np.full((20, 30, 3), 10 * row + column, "uint8") for column in range(3)]
        for row in range(2)
    ]
    sheet = np.asarray(contact_sheet(rows, ["a", "b", "c"]))
    for row in range(2):
        for column in range(3):
            top = LABEL_HEIGHT + row * (20 + MARGIN)
            left = MARGIN + column * (30 + MARGIN)
            cell = sheet[top : top + 20, left : left + 30]
            np.testing.assert_array_equal(cell, rows[row][column])
    assert (sheet[:LABEL_HEIGHT] < 128).any()
