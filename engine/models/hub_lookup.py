"""Whether a base or a data set that is named as on the Hugging Face Hub is there, or on this machine already; gives up after seconds."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tuneproof.engine.core.errors import CaseError, TuneproofError
from tuneproof.engine.models.base_facts import BaseFacts, checked_facts
from tuneproof.engine.models.files import config_folder

SECONDS = 5.0
"""Time after which a hub that has not answered is given up."""

MOST_LISTED = 4
FOLDER_PREFIX, NAME_SEPARATOR = "models--", "--"
"""How the cache of the hub names the folder of a model."""

T = TypeVar("T")


class HubSilent(TuneproofError):
    """The hub does not answer, so nobody knows whether it has the model."""


def look_up(name: str, seconds: float | None = None) -> tuple[BaseFacts, bool]:
    """What is known of the model, and whether it is on this machine. None stands for `SECONDS`.

    Raises CaseError if what is here of it is not whole, if the hub has no such model or none that can be used, and HubSilent if the model
    is not here and the hub does not answer in time.
    """
    folder = config_folder(name)
    if folder is not None:
        return checked_facts(folder), True
    if name.startswith((".", "/", "~")):
        raise _no_name(name)
    limit = SECONDS if seconds is None else seconds
    try:
        return within(limit, lambda: _ask_hub(name, limit)), False
    except CaseError:
        raise
    except Exception as error:
        raise HubSilent(
            f"it is not on this machine, and the hub does not answer ({type(error).__name__})", where=name, fix=cached_models_text()
        ) from None


def look_up_data_set(name: str, seconds: float | None = None) -> None:
    """Asks the hub for a data set. Raises CaseError if it has none that may be read, and HubSilent if it does not answer in time."""
    limit = SECONDS if seconds is None else seconds
    try:
        within(limit, lambda: _ask_for_data_set(name, limit))
    except CaseError:
        raise
    except Exception as error:
        fix = "it is looked for again when the data is read"
        raise HubSilent(f"not checked: the hub does not answer ({type(error).__name__})", where=name, fix=fix) from None


def _ask_for_data_set(name: str, seconds: float) -> bool:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    try:
        HfApi().dataset_info(name, timeout=seconds)
    except GatedRepoError:
        raise CaseError("the hub lets only some people read this data set", where=name, fix="ask there, then run `hf auth login`") from None
    except (HFValidationError, RepositoryNotFoundError):
        raise CaseError(
            "there is no such file, and no such data set on the hub that you may read", where=name, fix=f"paths start at {Path.cwd()}"
        ) from None
    return True


def cached_models() -> list[str]:
    """The names of the models whose configuration is in the cache of the hub, sorted."""
    from huggingface_hub.constants import HF_HUB_CACHE

    found = []
    for folder in Path(HF_HUB_CACHE).glob(f"{FOLDER_PREFIX}*"):
        if any(folder.glob("snapshots/*/config.json")):
            found.append(folder.name.removeprefix(FOLDER_PREFIX).replace(NAME_SEPARATOR, "/"))
    return sorted(found)


def cached_models_text() -> str:
    """Which models are on this machine, in a few words."""
    names = cached_models()
    if not names:
        return "no model of the hub is on this machine"
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return f"on this machine: {', '.join(names[:MOST_LISTED])}{more}"


def _no_name(name: str) -> CaseError:
    return CaseError("there is no such folder, and this is no name on the hub", where=name, fix="names are written as Qwen/Qwen3-0.6B")


def _ask_hub(name: str, seconds: float) -> BaseFacts:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    try:
        info = HfApi().model_info(name, timeout=seconds, files_metadata=True)
    except HFValidationError:
        raise _no_name(name) from None
    except GatedRepoError:
        raise CaseError("the hub lets only some people read this model", where=name, fix="ask there, then run `hf auth login`") from None
    except RepositoryNotFoundError:
        raise CaseError(
            "there is no such folder, and no such model on the hub that you may read", where=name, fix=cached_models_text()
        ) from None
    weights = [file.size or 0 for file in info.siblings or [] if file.rfilename.endswith(".safetensors")]
    if not weights:
        raise CaseError("the hub has no weights of this model as safetensors", where=name, fix="choose a model that has them")
    config, licence = info.config or {}, info.card_data.get("license") if info.card_data else None
    tokenizer = config.get("tokenizer_config") or {}
    return BaseFacts(config.get("model_type"), sum(weights), None, bool(tokenizer.get("chat_template")) or None, licence)


def within(seconds: float, call: Callable[[], T]) -> T:
    """What the call returns. Raises TimeoutError if it takes longer: a name server that is silent knows no time limit."""
    answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put((call(), None))
        except Exception as error:
            answers.put((None, error))

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    assert answer is not None
    return answer
