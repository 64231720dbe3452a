"""What the device could do at best: bytes per second of a copy, and FLOP per second of a library's float32 product."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from .place import Device

COPIED = 1 << 29  # bytes, more than any cache holds
SIDE = 4096


def torch_here() -> Any:
    """PyTorch where it is installed and sees the device, told not to round to tensor cores' formats; else None."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    if not torch.cuda.is_available():
        return None
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    torch.set_grad_enabled(False)
    return torch


def copy_rate(place: Device) -> float:
    """Bytes per second, read and written, of a copy within the device."""
    source, target = (place.put(np.zeros(COPIED // 4, np.float32)) for _ in range(2))
    return 2 * COPIED / place.seconds(lambda: target.copy_to_device(source))


def launch_seconds(place: Device) -> float:
    """What launching costs where nothing is to be done; of a kernel that runs no longer, this is what is measured."""

    @place.cuda.jit  # type: ignore[untyped-decorator]
    def empty(x):  # type: ignore[no-untyped-def]
        pass

    x = place.put(np.zeros(1, np.float32))
    return place.seconds(lambda: empty[1, 32](x))


def product_rate(place: Device, torch: Any) -> float:
    """FLOP per second of PyTorch's float32 product, or CuPy's; NaN where neither is here."""
    flops = 2 * SIDE**3
    if torch is not None:
        a, b = (torch.ones((SIDE, SIDE), device="cuda") for _ in range(2))
        return flops / place.seconds(lambda: torch.matmul(a, b))
    if importlib.util.find_spec("cupy") is not None:
        import cupy

        a, b = (cupy.ones((SIDE, SIDE), np.float32) for _ in range(2))
        return flops / place.seconds(lambda: a @ b)
    return float("nan")
