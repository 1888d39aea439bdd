"""The tour: a sentence at each step of the sample case, and the key that leads on."""

from __future__ import annotations

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.session.baseline_choice import best_untuned
from tuneproof.engine.session.steps import WizardStep


def tour_text(step: WizardStep, state: RunState, *, audited: bool) -> str:
    """What the tour says at a step; `audited` says whether the data has been read and audited."""
    match step:
        case WizardStep.DECIDE:
            return (
                "The tickets of a shop come back in changing formats. The answers below say so, and they point to fine-tuning, unless "
                "a prompt can do it. c goes on."
            )
        case WizardStep.DATA:
            said = "Each row is a ticket and the answer that the shop wants; below it stands as the model reads it."
            return f"{said} c goes on." if audited else f"{said} It is being read and audited …"
        case WizardStep.AUDIT:
            return "Every check has looked at every row. Duplicates, leaks and conflicts would stand here, with what to do. c goes on."
        case WizardStep.TASK:
            return _task(state)
        case WizardStep.BASELINES:
            return _baselines(state)
        case WizardStep.METHOD:
            return (
                "LoRA trains two small matrices beside each layer and leaves the model as it is: the lightest method that changes how it "
                "answers. c goes on."
            )
        case WizardStep.TRAIN:
            return _train(state)
        case WizardStep.CARD:
            return (
                "The verdict, with its interval, from answers that are all stored: `tuneproof verify` counts them again. "
                "That was the tour; h goes home, n there starts a case of your own."
            )


def _task(state: RunState) -> str:
    if Stage.SPLIT in state.done:
        return "Frozen: the SHA-256 of the eval cases is stored, so nobody can later pick the cases that suit the result. c goes on."
    return "An answer is right if all three fields are. f freezes the eval cases, before anything is scored on them."


def _baselines(state: RunState) -> str:
    best = best_untuned(state)
    if state.status is RunStatus.RUNNING:
        return "The untuned model answers the frozen cases in several ways. A process of its own does it: you could close this terminal."
    if Stage.BASELINES in state.done and best is not None:
        return (
            f"The best that needs no training is {best.arm}, right in {100 * best.correct.rate:.0f} % of cases; the target is 90 %. "
            "That is what tuning has to beat. c goes on."
        )
    return "What does the model do without any training? r asks it with an instruction, with examples, and under a grammar."


def _train(state: RunState) -> str:
    if Stage.EVALUATE in state.done:
        return "Trained, and scored on the same frozen cases as the prompts. c goes to the card."
    if state.status is RunStatus.RUNNING:
        return "The line is the loss on train, the o on validation. At each check the model answers validation cases: those numbers count."
    return "t trains the adapter, under a minute on two cores, and then scores it on the frozen cases."
