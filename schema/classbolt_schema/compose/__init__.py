"""One GraphQL schema, composed of core and every bolt-on, gated per account at run time."""
