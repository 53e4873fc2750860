"""The benchmark's programs can at least be started: nobody runs them in the suite."""

import importlib

import pytest


@pytest.mark.parametrize(
    "name", ["run", "report", "memory", "peak", "imports", "matching", "febrl", "old_chromium"]
)
def test_the_module_can_be_imported(name):
    assert importlib.import_module(f"bench.{name}").__doc__
