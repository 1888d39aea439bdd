"""Exports of labelling tools, each recognised by its keys."""

from __future__ import annotations

from tuneproof.engine.data.exports.argilla import ARGILLA
from tuneproof.engine.data.exports.doccano import DOCCANO
from tuneproof.engine.data.exports.label_studio import LABEL_STUDIO
from tuneproof.engine.data.exports.prodigy import PRODIGY

EXPORTS = (*LABEL_STUDIO, *ARGILLA, *DOCCANO, *PRODIGY)
