"""Backend-specific code. No other subpackage depends on the backend in use."""
