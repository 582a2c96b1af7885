"""The `keras-indi` command: one file a subcommand."""
