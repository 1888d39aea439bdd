"""The Hugging Face Hub: whether it answers, as whom, and what its cache on this machine has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tuneproof.engine.doctor.line import Group, Line, good, limited, missing
from tuneproof.engine.doctor.machine import disk_line
from tuneproof.engine.models.hub_lookup import SECONDS, cached_models, within

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CACHED = "bases and data that are on this machine already can be used"


def hub_lines() -> Iterator[Line]:
    """Access and cache."""
    yield _access()
    yield _models()
    from huggingface_hub.constants import HF_HUB_CACHE

    yield disk_line(Group.HUB, "disk of the cache", Path(HF_HUB_CACHE), "set HF_HOME to a folder on another disk")


def _access() -> Line:
    # Imported before the time that the hub has begins; HfApi takes the longest.
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.constants import ENDPOINT, is_offline_mode

    host = urlsplit(ENDPOINT).netloc
    if is_offline_mode():
        return limited(Group.HUB, "access", f"{host} is not asked: HF_HUB_OFFLINE is set", f"{CACHED}; unset it for others")
    try:
        user = within(SECONDS, lambda: _ask(HfApi(), get_token()))
    except _Refused:
        return limited(Group.HUB, "access", f"{host} answers, and refuses your token", "run: hf auth login")
    except Exception as error:
        found = f"{host} does not answer ({type(error).__name__})"
        return missing(Group.HUB, "access", found, f"{CACHED}; see to the network or HTTPS_PROXY, or copy a base here and name its folder")
    if not user:
        return good(Group.HUB, "access", f"{host} answers; not signed in, which only gated models need (hf auth login)")
    return good(Group.HUB, "access", f"{host} answers, signed in as {user}")


class _Refused(Exception):
    """The hub does not know the token."""


def _ask(hub: HfApi, token: str | None) -> str:
    """The name of the user whose token is set; empty without one. Raises whatever the hub or the network causes."""
    from huggingface_hub import get_session
    from huggingface_hub.constants import ENDPOINT
    from huggingface_hub.errors import HfHubHTTPError

    if token is None:
        # Not by HfApi, whose lists are asked for five times.
        get_session().get(f"{ENDPOINT}/api/models", params={"limit": 1}, timeout=SECONDS).raise_for_status()
        return ""
    try:
        return str(hub.whoami(token=token)["name"])
    except HfHubHTTPError as error:
        if error.response is not None and error.response.status_code in (401, 403):
            raise _Refused from None
        raise


def _models() -> Line:
    from huggingface_hub.constants import HF_HUB_CACHE

    names = cached_models()
    if not names:
        return limited(Group.HUB, "cache", f"no model in {HF_HUB_CACHE}", "the first run of a base downloads it; before: hf download NAME")
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return good(Group.HUB, "cache", f"{len(names)} model{'s' if len(names) > 1 else ''} in {HF_HUB_CACHE}: {shown}")
