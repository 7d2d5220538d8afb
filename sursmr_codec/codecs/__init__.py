"""The codecs, by id."""
