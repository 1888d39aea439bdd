"""What answers today: a model behind an OpenAI-compatible server, asked with the plain prompt."""

from __future__ import annotations

from tuneproof.engine.arms.arm import PRICED_REQUESTS, ArmContext
from tuneproof.engine.arms.zero_shot import ZeroShot
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.endpoint import Endpoint
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.endpoint.server import resolve_server
from tuneproof.engine.scoring.predictions import Scores


class EndpointArm(ZeroShot):
    """The model that a server of yours or a hosted one answers with, asked with the plain prompt. It needs a section `endpoint` in the case
    file, which is written by hand: url and model; the key stays in the environment. Cases that the server does not answer count neither as
    right nor as wrong."""

    name = ArmName.ENDPOINT
    is_prompt_baseline = False
    is_external = True

    def __init__(self, setting: ArmContext) -> None:
        super().__init__(setting)
        self.server = resolve_server(_settings(setting.endpoint))
        asked = self.server.settings
        self.inputs = {"endpoint": sha256_data([self.server.url, asked.model, asked.body])}
        self.summary = f"{asked.model} at {self.server.url}"

    @classmethod
    def check_case(cls, case: Case) -> None:
        """Raises CaseError where the case or the environment does not say which server."""
        resolve_server(_settings(case.endpoint))

    @classmethod
    def usd_per_1000_requests(cls, case: Case, scores: Scores) -> float | None:
        """By the tokens that the server told, at the prices of the case; none where one of them is missing."""
        prices = case.endpoint and (case.endpoint.usd_per_million_input_tokens, case.endpoint.usd_per_million_output_tokens)
        if not prices or prices[0] is None or prices[1] is None or scores.tokens_untold == scores.n:
            return None
        read, wrote = scores.prompt_tokens_per_case, scores.tokens_per_case - scores.prompt_tokens_per_case
        return round((prices[0] * read + prices[1] * wrote) * PRICED_REQUESTS / 1e6, 6)


def _settings(endpoint: Endpoint | None) -> Endpoint:
    if endpoint is None:
        fix = "add to the case `endpoint: {url: http://localhost:8000/v1, model: NAME}`; the key stays in the environment"
        raise CaseError("the case names no endpoint to ask", where=f"baselines: {ArmName.ENDPOINT}", fix=fix)
    return endpoint
