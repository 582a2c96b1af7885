"""Experiment 5: defocus deblurring, without noise on the path.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/defocus_deblurring.py --data DATA --weights alex=PATH

The paper trains on DPDD. Small: disc blur on photographs of BSDS500.
"""

import deblurring
import photographs
from configuration import Config, smoke

from keras_indi.data.degradations import DefocusBlur

SMALL = Config(variants=deblurring.VARIANTS, degradation=DefocusBlur((1, 5)))
CONFIGS = {
    "full": deblurring.full("indi_defocus_deblur", "dpdd"),
    "small": SMALL,
    "smoke": smoke(SMALL),
}

if __name__ == "__main__":
    photographs.main("defocus_deblurring", CONFIGS, deblurring.claims)
