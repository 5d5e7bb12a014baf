"""Notifier: new papers, matched against people's own rules, sent at the hour they chose."""

__version__ = "0.1.0"
