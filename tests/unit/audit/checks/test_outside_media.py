"""Prompts about an image, a file or a page that the model does not get are found."""

from __future__ import annotations

import pytest

from tests.unit.audit.checks.text_rows import notes


@pytest.mark.parametrize(
    "prompt",
    [
        "<image>\nWhat colour is the car?",
        "Describe the picture above.",
        "What is wrong in the attached screenshot?",
        "Summarise this article: https://news.org/2020/long-story",
        "https://news.org/2020/long-story",
        "Using the following chart, name the best month.",
        "Read the attached document and list the dates.",
    ],
)
def test_a_prompt_that_points_outside_is_found(prompt: str) -> None:
    assert len(notes("outside-media", prompt)) == 1


@pytest.mark.parametrize(
    "prompt",
    [
        "Describe a picture of your family.",
        "How do I embed an image in HTML?",
        "Is https://news.org a safe site?",
        "I got her name from the video above. It should be removed.",
        "Write a caption for a photo of a dog.",
        "My site www.mill.org is down, who can help?",
        "Summarise: " + "The mill was built by hand in the north. " * 8 + "Source: https://mill.org/history",
    ],
)
def test_a_prompt_that_says_all_is_not(prompt: str) -> None:
    assert notes("outside-media", prompt) == []
