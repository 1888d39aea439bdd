"""`tuneproof verify`: the card, made again from what is stored."""

from __future__ import annotations

from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.verify import add_arguments, verify_command

VERIFY = Command(
    "verify",
    "Recompute the card from the stored files and compare.",
    (
        Example("tuneproof verify runs/support-tickets-1", "exit code 5 if a number does not follow"),
        Example("tuneproof verify runs/support-tickets-1 --rerun 20", "20 answers are also decoded again"),
        Example("tuneproof verify runs/support-tickets-1 --sign ~/.ssh/id_ed25519", "signs what was verified"),
        Example("tuneproof verify runs/support-tickets-1 --signers allowed_signers", "says who signed it"),
        Example("tuneproof verify runs/support-tickets-1 --json", "for a program"),
    ),
    add_arguments,
    verify_command,
)
