"""The GPU and what is needed to train on it: driver, torch, bfloat16, bitsandbytes, flash attention, NCCL."""

from __future__ import annotations

from collections.abc import Iterator

from tuneproof.engine.core import hardware
from tuneproof.engine.core.hardware import Driver
from tuneproof.engine.doctor.line import Group, Line, good, limited, missing
from tuneproof.engine.doctor.torch_facts import TorchFacts

GPU = Group.GPU

LITTLE_FREE = 0.5
"""The share of a GPU's memory below which another program is taken to be using it."""

FLASH_CAPABILITY = (8, 0)
"""The least compute capability of flash attention 2 (its README: Ampere, Ada or Hopper)."""

NO_GPU = "trainings run on the CPU: enough for the sample cases and small bases; for more, use a machine with an NVIDIA GPU"
NOT_NEEDED = "not needed without a GPU"


def gpu_lines(facts: TorchFacts) -> Iterator[Line]:
    """The lines about the GPU; NVML says what there is, and torch what can be used of it."""
    driver = hardware.driver()
    yield _gpu(driver, facts)
    yield _driver(driver, facts)
    yield _torch(driver, facts)
    yield _bf16(facts)
    yield _bitsandbytes(facts)
    yield _flash_attention(facts)
    yield _nccl(facts)


def _gpu(driver: Driver | None, facts: TorchFacts) -> Line:
    gpu, count = hardware.first_gpu(), hardware.gpu_count()
    if facts.rocm and facts.gpus:
        todo = "nothing here was tested on ROCm: compare the first run with one on NVIDIA"
        return limited(GPU, "GPU", f"{facts.gpus} of AMD, by ROCm", todo)
    if driver is None:
        return missing(GPU, "GPU", "no NVIDIA GPU, or no driver", NO_GPU)
    if gpu is None or driver.gpus == 0:
        return missing(GPU, "GPU", "the driver finds none", NO_GPU)
    if count == 0:
        return missing(GPU, "GPU", f"CUDA_VISIBLE_DEVICES hides all of them ({driver.gpus})", "unset CUDA_VISIBLE_DEVICES")
    several = f"{count} × " if count > 1 else ""
    found = f"{several}{gpu.name}, {gpu.free_gib:.0f} of {gpu.total_gib:.0f} GiB free"
    if gpu.free_gib < LITTLE_FREE * gpu.total_gib:
        todo = "another program uses it (nvidia-smi names it): end that, or choose another GPU with CUDA_VISIBLE_DEVICES"
        return limited(GPU, "GPU", found, todo)
    return good(GPU, "GPU", found)


def _driver(driver: Driver | None, facts: TorchFacts) -> Line:
    if driver is None:
        return missing(GPU, "driver", "none of NVIDIA", f"{NOT_NEEDED}; with one, install the driver of your system")
    found = f"{driver.version}, CUDA {driver.cuda[0]}.{driver.cuda[1]}"
    built = facts.cuda and tuple(int(part) for part in facts.cuda.split(".")[:2])
    # A driver runs every program of its own major version of CUDA and of older ones (CUDA's minor version compatibility).
    if built and built[0] > driver.cuda[0]:
        todo = "update the driver, or install a torch for its CUDA"
        return limited(GPU, "driver", f"{found}, older than torch's CUDA {facts.cuda}", todo)
    return good(GPU, "driver", found)


def _torch(driver: Driver | None, facts: TorchFacts) -> Line:
    if facts.problem is not None:
        return missing(GPU, "torch", facts.problem, "nothing can be trained or answered: pip install -c constraints.txt torch")
    build = f"CUDA {facts.cuda}" if facts.cuda else f"ROCm {facts.rocm}" if facts.rocm else "the CPU"
    found = f"{facts.version}, built for {build}"
    if driver is not None and driver.gpus and not facts.gpus and not facts.cuda:
        return limited(GPU, "torch", f"{found}: the GPU is not used", "install a build for CUDA: https://pytorch.org/get-started/locally")
    if hardware.gpu_count() and not facts.gpus:
        return limited(GPU, "torch", f"{found}: it cannot use the GPU", "see the line about the driver; nvidia-smi shows whether it works")
    return good(GPU, "torch", found)


def _bf16(facts: TorchFacts) -> Line:
    if facts.bf16:
        return good(GPU, "bfloat16", "computed by the GPU")
    if facts.gpus:
        return limited(GPU, "bfloat16", "not computed by this GPU", "float16 is used; on a GPU of compute capability 8.0 it is bfloat16")
    return limited(GPU, "bfloat16", "not used on a CPU, which computes in float32", f"{NOT_NEEDED}: models take 4 bytes a parameter")


def _bitsandbytes(facts: TorchFacts) -> Line:
    if facts.bitsandbytes is None:
        return missing(GPU, "bitsandbytes", "not installed", "for qlora and 8-bit optimizers: pip install 'tuneproof[quantised]'")
    if facts.bitsandbytes_problem is not None:
        found = f"{facts.bitsandbytes} does not work: {facts.bitsandbytes_problem}"
        return missing(GPU, "bitsandbytes", found, "qlora cannot be used; python -m bitsandbytes says why")
    if not facts.gpus:
        return limited(GPU, "bitsandbytes", f"{facts.bitsandbytes} quantises on this CPU", "qlora works here, and slowly; use lora")
    return good(GPU, "bitsandbytes", f"{facts.bitsandbytes} quantises on this GPU")


def _flash_attention(facts: TorchFacts) -> Line:
    if not facts.gpus:
        return missing(GPU, "flash attention", "needs a GPU", NOT_NEEDED)
    if facts.flash_attention:
        return good(GPU, "flash attention", f"{facts.flash_attention} for packed rows")
    todo = "training.packing computes and masks the other rows of a pack: pip install flash-attn"
    if (facts.capability or (0, 0)) < FLASH_CAPABILITY or not facts.flash_sdpa:
        return missing(GPU, "flash attention", "not for this GPU", "leave training.packing off: it would gain little")
    return limited(GPU, "flash attention", "torch's own kernels, not for packed rows", todo)


def _nccl(facts: TorchFacts) -> Line:
    if facts.nccl and facts.gpus:
        return good(GPU, "NCCL", facts.nccl)
    several = "only a training on several GPUs needs it"
    if facts.nccl:
        return limited(GPU, "NCCL", f"{facts.nccl}, without a GPU to use it", several)
    return missing(GPU, "NCCL", "not in this build of torch", f"{several}; processes on CPUs use gloo")
