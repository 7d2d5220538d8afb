"""The networks that predict SUR and SMR of a rung from its pixels and its source's.

`config` and `views` are free of torch; every other module needs the extra `torch`.
"""
