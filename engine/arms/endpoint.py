"""The model behind an OpenAI-compatible server, with the plain prompt."""

from __future__ import annotations

from tuneproof.engine.arms.arm import PRICED_REQUESTS, ArmContext
from tuneproof.engine.arms.zero_shot import ZeroShot
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.endpoint import Endpoint
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.endpoint.server import resolve_server
from tuneproof.engine.scoring.scores import Scores


class EndpointArm(ZeroShot):
    """The model behind your own server or a hosted one, with the plain prompt. Section `endpoint` of the case has url and model; the key
    stays in the environment. Cases that the server does not answer count neither as correct nor as wrong."""

    name = ArmName.ENDPOINT
    is_prompt_baseline = False
    is_external = True

    def __init__(self, context: ArmContext) -> None:
        super().__init__(context)
        self.server = resolve_server(_settings(context.endpoint))
        settings = self.server.settings
        self.inputs = {"endpoint": sha256_data([self.server.url, settings.model, settings.body])}
        self.summary = f"{settings.model} at {self.server.url}"

    @classmethod
    def check_case(cls, case: Case) -> None:
        """Raises CaseError if neither the case nor the environment names the server."""
        resolve_server(_settings(case.endpoint))

    @classmethod
    def usd_per_1000_requests(cls, case: Case, scores: Scores) -> float | None:
        """The price by the tokens that the server reports and the prices of the case; None if one of them is missing."""
        prices = case.endpoint and (case.endpoint.usd_per_million_input_tokens, case.endpoint.usd_per_million_output_tokens)
        if not prices or prices[0] is None or prices[1] is None or scores.tokens_untold == scores.n:
            return None
        input_tokens, output_tokens = scores.prompt_tokens_per_case, scores.tokens_per_case - scores.prompt_tokens_per_case
        return round((prices[0] * input_tokens + prices[1] * output_tokens) * PRICED_REQUESTS / 1e6, 6)


def _settings(endpoint: Endpoint | None) -> Endpoint:
    if endpoint is None:
        fix = "add to the case `endpoint: {url: http://localhost:8000/v1, model: NAME}`; the key stays in the environment"
        raise CaseError("the case names no endpoint", where=f"baselines: {ArmName.ENDPOINT}", fix=fix)
    return endpoint
