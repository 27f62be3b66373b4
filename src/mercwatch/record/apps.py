"""The record as a Django application."""

from django.apps import AppConfig


class RecordConfig(AppConfig):
    """Name and label of the application."""

    name = "mercwatch.record"
    label = "record"
