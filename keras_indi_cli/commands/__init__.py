"""Commands, one per file. Each parses options, calls the package and prints."""
