"""The benchmark's programs can at least be started, and its clinic be filled."""

import importlib

import pytest

from bench import fill
from db import db
from models import EntryState, QueueEntry, Visit


@pytest.mark.parametrize(
    "name",
    ["run", "report", "memory", "peak", "imports", "matching", "febrl", "old_chromium", "starts"],
)
def test_the_module_can_be_imported(name):
    assert importlib.import_module(f"bench.{name}").__doc__


def test_a_filled_clinic_goes_on_with_its_own_numbers(app):
    fill.fill_patients(150)
    assert db.session.query(Visit).count() == 150 + fill.WAITING
    waiting = db.session.query(QueueEntry).filter_by(state=EntryState.WAITING)
    assert waiting.count() == fill.WAITING
    assert all(entry.visit.patient_id == entry.visit_id for entry in db.session.query(QueueEntry))
