"""The record linter: care that the schema cannot enforce, as rules that name file and line."""
