"""Vision models as judges: what each one says of a picture, and whether that stayed the same."""
