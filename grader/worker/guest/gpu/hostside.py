"""Device arrays as a host function sees them in a simulation: no more than a device offers, and every copy counted.

numba's simulated device arrays are NumPy's in disguise: they add, multiply and sum. Real ones do not, and where they
can be read or written from the host, each time is a copy.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from .faults import Fault
from .memory import poisoned

ARRAYS = "numba.cuda.simulator.cudadrv.devicearray"
OPERATORS = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "neg", "abs"),
    *("lt", "le", "gt", "ge", "eq", "ne"),
)
# What is asked of an array without touching its elements; numba's own functions ask for the last ones.
HARMLESS = ("size", "ndim", "dtype", "strides", "itemsize", "nbytes", "flags", "squeeze", "ctypes", "base")


def fit(cuda: Any, copied: Callable[[], None]) -> None:
    """Make numba's simulated device arrays like real ones; `copied` is told of each copy."""
    devicearray: Any = importlib.import_module(ARRAYS)
    fake = devicearray.FakeCUDAArray
    for name in ("copy_to_host", "copy_to_device", "__setitem__"):
        setattr(fake, name, _counting(getattr(fake, name), copied))
    cuda.to_device = _counting(cuda.to_device, copied)
    fake.__getitem__ = _counting_scalars(fake.__getitem__, copied)
    fake.__array__ = _counting(lambda self, *_arguments, **_options: self._ary.copy(), copied)
    fake.__getattr__ = _attribute
    for name in OPERATORS:
        for prefix in ("", "r", "i"):
            setattr(fake, f"__{prefix}{name}__", _refused)
    fake.__hash__ = object.__hash__
    devicearray.device_array = cuda.device_array = _poisoning(devicearray.device_array)


def _counting(function: Callable[..., Any], copied: Callable[[], None]) -> Callable[..., Any]:
    def copy(*arguments: Any, **options: Any) -> Any:
        copied()
        return function(*arguments, **options)

    return copy


def _counting_scalars(function: Callable[..., Any], copied: Callable[[], None]) -> Callable[..., Any]:
    """A part of a device array stays on the device; a single element comes to the host."""

    def get(self: Any, index: Any) -> Any:
        found = function(self, index)
        if not hasattr(found, "_ary"):
            copied()
        return found

    return get


def _poisoning(made: Callable[..., Any]) -> Callable[..., Any]:
    """Memory that is asked for holds what nobody has written."""

    def device_array(*arguments: Any, **options: Any) -> Any:
        array = made(*arguments, **options)
        array._ary = poisoned(array._ary.shape, array._ary.dtype)
        return array

    return device_array


def _attribute(self: Any, name: str) -> Any:
    if name in HARMLESS:
        return getattr(self.__dict__["_ary"], name)
    if name.startswith("__") or not hasattr(np.ndarray, name):
        raise AttributeError(name)
    raise Fault("host", what=name)


def _refused(*_operands: Any) -> Any:
    raise Fault("host", what="arithmetic")
