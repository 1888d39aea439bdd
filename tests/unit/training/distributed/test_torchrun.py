"""Processes of several nodes reach each other."""

from __future__ import annotations

import socket

import pytest

from tuneproof.engine.training.distributed.torchrun import LOOPBACK, interface_to


def test_a_node_on_this_machine_is_reached_over_loopback() -> None:
    assert interface_to("127.0.0.1") == LOOPBACK


def test_another_machine_is_reached_over_the_interface_that_leads_to_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
    assert interface_to("192.0.2.1") not in (None, LOOPBACK)
