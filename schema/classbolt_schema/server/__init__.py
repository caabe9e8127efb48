"""The server: GraphQL over HTTP, for all accounts of an installation."""
