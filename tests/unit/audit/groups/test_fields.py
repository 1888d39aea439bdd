"""Fields that name groups are recognised by their names."""

from __future__ import annotations

from tuneproof.engine.audit.groups.fields import names_a_group


def test_names_of_groups_and_of_other_things() -> None:
    assert names_a_group("page_id", plain_number=True) and names_a_group("pageUrl") and not names_a_group("page", plain_number=True)
    assert not any(names_a_group(name) for name in ("text", "idea", "usermessage", "user_message", "source_lang", "docs"))
