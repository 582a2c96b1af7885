"""Presets: trained models by name, from a folder or from a hub."""

from keras_indi.presets.handles import PRESETS_FOLDER as PRESETS_FOLDER
from keras_indi.presets.handles import list_presets as list_presets
from keras_indi.presets.hub import upload_preset as upload_preset
from keras_indi.presets.metadata import read_metadata as read_metadata
from keras_indi.presets.model_card import card as card
from keras_indi.presets.preset_model import PresetModel as PresetModel
