"""The objects clients see, one module per noun; `relations` leads from one to another."""
