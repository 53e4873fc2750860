"""Alur's own server settings, for hello and the floor: all but what touches Alur's database."""

import runpy
from pathlib import Path

_alur = runpy.run_path(str(Path(__file__).parent.parent / "deploy" / "gunicorn.conf.py"))
globals().update(
    {name: value for name, value in _alur.items() if name[0] != "_" and name != "post_fork"}
)
