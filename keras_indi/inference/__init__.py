"""Inference engine: restore images of any size with a trained network."""
