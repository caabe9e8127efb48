"""What tests stand on, ours and those of bolt-on authors: real databases, thrown away."""
