"""Answers of a model on this machine, stored on disk as they arrive, so that a search that is resumed does not decode them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.data.example import Message
from tuneproof.engine.decoding.completion import Backend, Completion
from tuneproof.engine.endpoint.reply_cache import CachedReply, ReplyCache


@dataclass(frozen=True)
class KeptAnswers:
    """A backend that decodes each prompt once."""

    backend: Backend
    file: Path
    decoded_by: str
    """Names the model and its settings: answers of another are not used."""

    def prompt(self, messages: Sequence[Message]) -> str:
        """The exact text that is sent for a chat."""
        return self.backend.prompt(messages)

    def complete(self, prompts: Sequence[str], on_progress: Callable[[int, int], None]) -> tuple[list[Completion], float]:
        """The completions in the order of the prompts, and the seconds that decoding took, also if that was before."""
        with ReplyCache(self.file, self.decoded_by) as cache:
            replies = {prompt: cache.find(prompt) for prompt in prompts}
            missing = [prompt for prompt, reply in replies.items() if reply is None]
            completions, seconds = self.backend.complete(missing, on_progress) if missing else ([], 0.0)
            for prompt, completion in zip(missing, completions, strict=True):
                new = CachedReply(
                    request=cache.key(prompt),
                    text=completion.text,
                    truncated=completion.truncated,
                    prompt_tokens=completion.prompt_tokens,
                    completion_tokens=completion.completion_tokens,
                    usage_known=completion.usage_known,
                    attempts=completion.attempts,
                    seconds=round(seconds / len(missing), 6),
                )
                cache.add(new)
                replies[prompt] = new
        kept = [reply for prompt in prompts if (reply := replies[prompt]) is not None]
        return [_completion(reply) for reply in kept], sum(reply.seconds for reply in kept)


def _completion(reply: CachedReply) -> Completion:
    return Completion(reply.text, reply.prompt_tokens, reply.completion_tokens, reply.truncated, usage_known=reply.usage_known)
