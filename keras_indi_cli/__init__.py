"""The `keras-indi` command.

It is a separate package, because importing `keras_indi` fixes the backend and takes
seconds. The launcher chooses the backend first, and help, the version and usage errors
work without Keras. A command imports `keras_indi` when it runs.
"""
