"""Training of the networks on label tables: configuration, data, loop, evaluation, export.

`config` is free of torch; the loop and the export need the extra `torch`.
"""
