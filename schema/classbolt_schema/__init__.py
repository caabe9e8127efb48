"""The GraphQL server: core's types, and the composition that bolt-ons add theirs to."""
