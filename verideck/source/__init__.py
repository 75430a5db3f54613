"""Markdown files -> cards."""
