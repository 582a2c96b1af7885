"""What runs before `keras_indi` is imported, which fixes the backend: the command."""
