"""Pictures of results."""

import numpy as np

MARGIN = 8  # pixels between the images
LABEL_HEIGHT = 28  # pixels above each column


def contact_sheet(rows, labels):
    """Lays images out in a labelled grid.

    Args:
        rows: List of rows, each a list of uint8 arrays of one shape `(height,
            width, 3)`, the same in all rows.
        labels: List of strings, one a column.

    Returns:
        A `PIL.Image.Image`.
    """
    from PIL import Image, ImageDraw, ImageFont

    height, width, _ = np.shape(rows[0][0])
    sheet = Image.new(
        "RGB",
        (
            len(labels) * (width + MARGIN) + MARGIN,
            len(rows) * (height + MARGIN) + LABEL_HEIGHT,
        ),
        "white",
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=16)
    for column, label in enumerate(labels):
        left = MARGIN + column * (width + MARGIN)
        draw.text((left + width / 2, 5), label, "black", font, anchor="ma")
        for row, images in enumerate(rows):
            top = LABEL_HEIGHT + row * (height + MARGIN)
            sheet.paste(Image.fromarray(images[column]), (left, top))
    return sheet
