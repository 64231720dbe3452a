"""Vectors of float32: what a processor computes with in one instruction, for you to use by name.

A core has registers that hold LANES float32 numbers side by side, and instructions that work on all of them at once
("single instruction, multiple data"). A compiler makes such instructions of simple loops by itself. Where you want to
decide what stays in a register and for how long, write them yourself. This module is given; there is nothing to do in
it.

    LANES                          how many numbers a vector has: 16 with AVX-512, else 8
    zeros()                        a vector of zeros
    broadcast(array, index)        a vector that repeats array[index] in every lane
    load(array, index)             array[index : index + LANES] as a vector
    store(array, index, vector)    array[index : index + LANES] = vector
    fma(x, y, z)                   x * y + z, lane by lane: the multiplication and the addition in one instruction
    maximum(x, y)                  the larger one, lane by lane; NaN if one of them is NaN

Arrays have one axis, lie in memory without gaps and hold float32: matrix.reshape(-1) makes such an array of a matrix
without copying it. A vector has no elements that you could pick; store it to look at them. An index that leads out of
the array is an IndexError in plain Python and in checked code, and undefined in fast code, as with numba's own arrays.

Example: the sum of two arrays whose size is a multiple of LANES.

    one = np.ones(1, np.float32)
    for i in range(0, x.size, LANES):
        store(total, i, fma(broadcast(one, 0), load(x, i), load(y, i)))
"""

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import lower_builtin, models, register_model, type_callable

LANES = 16 if binding.get_host_cpu_features().get("avx512f") else 8


# --- plain Python: what the functions mean --------------------------------------------------------------------------


def zeros():
    return np.zeros(LANES, np.float32)


def broadcast(array, index):
    return np.full(LANES, array[_inside(array, index, 1)], np.float32)


def load(array, index):
    return array[_inside(array, index, LANES) : index + LANES].copy()


def store(array, index, vector):
    array[_inside(array, index, LANES) : index + LANES] = vector


def fma(x, y, z):
    return x * y + z


def maximum(x, y):
    return np.maximum(x, y)


def _inside(array, index, count):
    """The index, if so many elements lie there."""
    if index < 0 or index + count > array.size:
        raise IndexError(f"{count} elements at {index} do not lie in an array of {array.size}")
    return index


# --- compiled: the same in LLVM's vectors ---------------------------------------------------------------------------

_VECTOR = ir.VectorType(ir.FloatType(), LANES)


class Vector(types.Type):
    """numba's name for a vector."""

    def __init__(self):
        super().__init__(f"float32x{LANES}")


vector_type = Vector()


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _VECTOR)


def _require(function, array, index):
    if not isinstance(index, types.Integer):
        raise TypingError(f"{function} has {index} for an index. Give it an integer.")
    if not (
        isinstance(array, types.Array) and array.layout == "C" and array.ndim == 1 and array.dtype == types.float32
    ):
        raise TypingError(
            f"{function} cannot work on {array}. Give it a float32 array of one axis and without gaps: "
            "array.reshape(-1) of a contiguous one."
        )


@type_callable(zeros)
def _type_zeros(context):
    return lambda: vector_type


@type_callable(broadcast)
def _type_broadcast(context):
    def typer(array, index):
        _require("broadcast", array, index)
        return vector_type

    return typer


@type_callable(load)
def _type_load(context):
    def typer(array, index):
        _require("load", array, index)
        return vector_type

    return typer


@type_callable(store)
def _type_store(context):
    def typer(array, index, value):
        _require("store", array, index)
        return types.void if value == vector_type else None

    return typer


@type_callable(fma)
def _type_fma(context):
    return lambda x, y, z: vector_type if x == y == z == vector_type else None


@type_callable(maximum)
def _type_maximum(context):
    return lambda x, y: vector_type if x == y == vector_type else None


def _address(context, builder, signature, arguments, count):
    """Where array[index] lies; an IndexError where numba checks bounds and not all of `count` elements exist."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    index = context.cast(builder, arguments[1], signature.args[1], types.intp)
    if context.enable_boundscheck:
        size = builder.extract_value(array.shape, 0)
        too_far = builder.icmp_signed(">", builder.add(index, index.type(count)), size)
        with builder.if_then(builder.or_(too_far, builder.icmp_signed("<", index, index.type(0))), likely=False):
            context.call_conv.return_user_exc(builder, IndexError, (f"{count} elements do not lie in the array",))
    return builder.gep(array.data, [index])


@lower_builtin(zeros)
def _lower_zeros(context, builder, signature, arguments):
    return ir.Constant(_VECTOR, [0.0] * LANES)


@lower_builtin(broadcast, types.Array, types.Integer)
def _lower_broadcast(context, builder, signature, arguments):
    value = builder.load(_address(context, builder, signature, arguments, 1))
    nothing = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(nothing, value, ir.IntType(32)(0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


@lower_builtin(load, types.Array, types.Integer)
def _lower_load(context, builder, signature, arguments):
    address = _address(context, builder, signature, arguments, LANES)
    return builder.load(builder.bitcast(address, _VECTOR.as_pointer()), align=4)


@lower_builtin(store, types.Array, types.Integer, Vector)
def _lower_store(context, builder, signature, arguments):
    address = _address(context, builder, signature, arguments, LANES)
    builder.store(arguments[2], builder.bitcast(address, _VECTOR.as_pointer()), align=4)
    return context.get_dummy_value()


@lower_builtin(fma, Vector, Vector, Vector)
def _lower_fma(context, builder, signature, arguments):
    # LLVM's fmuladd is one instruction where the processor has it, two where it has not.
    function = builder.module.declare_intrinsic(
        f"llvm.fmuladd.v{LANES}f32", fnty=ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    )
    return builder.call(function, arguments)


@lower_builtin(maximum, Vector, Vector)
def _lower_maximum(context, builder, signature, arguments):
    x, y = arguments
    larger = builder.select(builder.fcmp_ordered(">", x, y), x, y)  # y where one of them is NaN
    return builder.select(builder.fcmp_unordered("uno", x, x), x, larger)
