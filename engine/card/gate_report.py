"""What a gate found, for the systems that show it: JUnit XML for a build server, Markdown for a pull request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from tuneproof.engine.card.gate import GateCheck
from tuneproof.engine.card.schema import Card
from tuneproof.engine.core.plain_text import sanitize

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may have (XML 1.0, section 2.2)."""

MARKUP = re.compile(r"([\\`*_\[\]<>|#!~&])")
"""Characters that begin something in GitHub's Markdown; behind a backslash they are themselves."""


@dataclass(frozen=True)
class GateReport:
    """A run at a gate: what was checked, and what came of it."""

    run: str
    checks: Sequence[GateCheck]
    verified: str
    """What was verified before, in a sentence."""
    card: Card | None = None
    error: str = ""
    """Why the run could not be judged; then there are no checks."""

    @property
    def passed(self) -> bool:
        """Whether the run may go on."""
        return not self.error and all(each.passed for each in self.checks)


def junit(report: GateReport) -> str:
    """The report in the JUnit form that build servers read: a test case a condition."""
    failures = sum(not each.passed for each in report.checks)
    counts = {"tests": str(len(report.checks) + 1), "failures": str(failures), "errors": str(int(bool(report.error)))}
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": _xml(f"tuneproof gate {report.run}"), **counts, "skipped": "0"})
    verified = ElementTree.SubElement(suite, "testcase", {"classname": "tuneproof.gate", "name": "the run can be judged", "time": "0"})
    if report.error:
        ElementTree.SubElement(verified, "error", {"message": _xml(report.error)}).text = _xml(report.error)
    else:
        ElementTree.SubElement(verified, "system-out").text = _xml(report.verified)
    for check in report.checks:
        case = ElementTree.SubElement(suite, "testcase", {"classname": "tuneproof.gate", "name": _xml(check.name), "time": "0"})
        if check.passed:
            ElementTree.SubElement(case, "system-out").text = _xml(check.found)
        else:
            ElementTree.SubElement(case, "failure", {"message": _xml(check.found)}).text = _xml(f"{check.name}: {check.found}")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def markdown(report: GateReport) -> str:
    """The report as a comment on a pull request: the verdict, the conditions and the arms."""
    lines = [f"## tuneproof gate: {'passed' if report.passed else 'not passed'}", "", f"Run: {_md(report.run)}", ""]
    if report.error:
        return "\n".join([*lines, f"The run could not be judged: {_md(report.error)}", ""])
    if report.card is not None:
        lines += [f"**Verdict: {report.card.verdict.answer}.** {_md(report.card.verdict.reason)}", ""]
    lines += ["| condition | | found |", "|---|---|---|"]
    lines += [f"| {_md(each.name)} | {'passed' if each.passed else '**failed**'} | {_md(each.found)} |" for each in report.checks]
    if report.card is not None and report.card.arms:
        lines += ["", "| arm | correct | valid format | cases | tokens a case |", "|---|---|---|---|---|"]
        lines += [
            f"| {_md(arm.arm)} | {arm.correct.rate:.3f} [{arm.correct.low:.3f}, {arm.correct.high:.3f}] | {arm.format_valid.rate:.3f} "
            f"| {arm.n:,} | {arm.tokens_per_case:,.0f} |"
            for arm in report.card.arms
        ]
    return "\n".join([*lines, "", _md(report.verified), ""])


def _xml(text: str) -> str:
    return NOT_IN_XML.sub("\ufffd", sanitize(text))


def _md(text: str) -> str:
    return MARKUP.sub(r"\\\1", sanitize(text, one_line=True))
