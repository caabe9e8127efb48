"""The objects clients see, one module per noun; how they lead to each other is in `relations`."""
