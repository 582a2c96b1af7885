"""The `keras-indi` command.

It stands outside the package, as importing the package fixes the backend and takes
seconds: the launcher chooses the backend first, and help, the version and usage errors
come without Keras. A command imports the package when it runs.
"""
