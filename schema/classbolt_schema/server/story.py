"""Placeholder."""


def play(settings):
    return 0
