"""The file with a server's answers."""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.endpoint.reply_cache import CachedReply, ReplyCache

URL = "http://localhost/v1"


def reply(cache: ReplyCache, request: str) -> CachedReply:
    return CachedReply(
        request=cache.key(request),
        text="yes",
        truncated=False,
        prompt_tokens=30,
        completion_tokens=2,
        usage_known=True,
        attempts=1,
        seconds=0.5,
    )


def test_an_answer_is_found_once_the_file_is_opened_again(tmp_path: Path) -> None:
    with ReplyCache(tmp_path / "kept.jsonl", URL) as cache:
        cache.add(added := reply(cache, "request"))
    with ReplyCache(tmp_path / "kept.jsonl", URL) as cache:
        assert cache.find("request") == added
        assert cache.find("another request") is None


def test_a_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    with ReplyCache(tmp_path / "empty.jsonl", URL) as cache:
        key = cache.key("request")
    (tmp_path / "kept.jsonl").write_text(
        f'{{"request":"{key}","text":"yes","truncated":false,"prompt_tokens":30,"tokens":2,"tokens_told":true,"attempts":1,"seconds":0.5}}\n'
    )
    with ReplyCache(tmp_path / "kept.jsonl", URL) as cache:
        found = cache.find("request")
    assert found is not None and (found.completion_tokens, found.usage_known) == (2, True)


def test_a_damaged_line_is_ignored_and_the_others_are_kept(tmp_path: Path) -> None:
    with ReplyCache(tmp_path / "kept.jsonl", URL) as cache:
        cache.add(added := reply(cache, "request"))
    content = (tmp_path / "kept.jsonl").read_bytes()
    (tmp_path / "kept.jsonl").write_bytes(b"\0\0\0\n" + content + b'{"request": "torn')
    with ReplyCache(tmp_path / "kept.jsonl", URL) as cache:
        assert cache.find("request") == added
