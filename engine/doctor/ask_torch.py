"""The process that imports torch and prints what it finds as one line of JSON: `python -m tuneproof.engine.doctor.ask_torch`."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tuneproof.engine.doctor.torch_facts import TorchFacts


def facts() -> TorchFacts:
    """What is found; a library that is broken is described, never raised."""
    try:
        import torch
    except Exception as error:
        return TorchFacts(problem=_sentence(error))
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    installed, problem = _bitsandbytes(torch, "cuda" if gpus else "cpu")
    return TorchFacts(
        version=torch.__version__,
        cuda=torch.version.cuda,
        rocm=torch.version.hip,
        gpus=gpus,
        capability=torch.cuda.get_device_capability() if gpus else None,
        bf16=bool(gpus) and torch.cuda.is_bf16_supported(including_emulation=False),
        flash_sdpa=bool(gpus) and torch.backends.cuda.is_flash_attention_available(),
        nccl=_nccl(torch),
        bitsandbytes=installed,
        bitsandbytes_problem=problem,
        flash_attention=_flash_attention(),
    )


def _nccl(torch: Any) -> str | None:
    if not (torch.distributed.is_available() and torch.distributed.is_nccl_available()):
        return None
    return ".".join(map(str, torch.cuda.nccl.version()))


def _bitsandbytes(torch: Any, device: str) -> tuple[str | None, str | None]:
    """Its version, and why it does not work: its library may be built for another CUDA, which only a call shows."""
    try:
        installed = version("bitsandbytes")
    except PackageNotFoundError:
        return None, None
    try:
        from bitsandbytes.functional import dequantize_4bit, quantize_4bit

        numbers = torch.linspace(-1, 1, 4096, device=device).reshape(64, 64)
        difference = (dequantize_4bit(*quantize_4bit(numbers, quant_type="nf4")) - numbers).abs().max().item()
    except Exception as error:
        return installed, _sentence(error)
    # The widest gap between two numbers of NF4 is 0.30, so none moves by more than half of it (QLoRA, Dettmers et al. 2023, appendix E).
    return installed, None if difference < 0.16 else f"it quantises wrongly: numbers from -1 to 1 move by up to {difference:.2f}"


def _flash_attention() -> str | None:
    try:
        from transformers.utils import is_flash_attn_2_available, is_flash_attn_3_available
    except Exception:
        return None
    if is_flash_attn_3_available():
        return "flash_attention_3"
    return "flash_attention_2" if is_flash_attn_2_available() else None


def _sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"


if __name__ == "__main__":
    print(facts().model_dump_json())
