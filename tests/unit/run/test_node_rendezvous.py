"""Nodes find a training by a file that exists only while it runs, and that only this user can read."""

from __future__ import annotations

import stat
from pathlib import Path

from tuneproof.engine.run.node_rendezvous import Rendezvous, published, read_rendezvous

RENDEZVOUS = Rendezvous(nodes=2, processes=4, control_port=1, store_port=2, key="secret")


def test_a_rendezvous_is_found_while_it_is_published(tmp_path: Path) -> None:
    path = tmp_path / "7.rendezvous"
    assert read_rendezvous(path) is None
    with published(path, RENDEZVOUS):
        assert read_rendezvous(path) == RENDEZVOUS
    assert read_rendezvous(path) is None and list(tmp_path.iterdir()) == []


def test_its_key_is_read_by_no_other_user_and_printed_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "7.rendezvous"
    with published(path, RENDEZVOUS):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "secret" not in repr(RENDEZVOUS)
