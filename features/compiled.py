"""What is compiled, and how: the one place that knows numba.

A compiled function is cached beside its own file and made anew when that file changes; after a change in a file that
it takes parts from, delete ``features/__pycache__/*.nb*``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import numpy as np
from llvmlite import ir
from numba import carray, from_dtype, njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
Flags = NDArray[np.bool_]
Records = Any
"""An array of records."""
Record = Any
"""One element of ``Records``: its fields are read and written by name."""

Whole = Any
"""An integer, Python's or the compiler's."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile a function that Python calls; it runs without Python's lock, so that threads share the work."""
    return cast(_Function, njit(cache=True, nogil=True)(function))


def compiled_for(*dtypes: Any) -> Callable[[_Function], _Function]:
    """Compile a function of int64 and of columns of these types in any memory, which returns a boolean.

    Compiled for these alone, so that no column that is read-only or not contiguous makes a request wait for another.
    """
    columns = [types.Array(from_dtype(np.dtype(dtype)), 1, "A", readonly=True) for dtype in dtypes]
    signature = types.boolean(types.int64[::1], *columns)

    def make(function: _Function) -> _Function:
        # When it is first called: whoever only imports it does not wait for the compiler.
        made = cache(lambda: njit(signature, cache=True)(function))
        return cast(_Function, lambda *arguments: made()(*arguments))

    return make


def inlined(function: _Function) -> _Function:
    """Compile a function into those that call it."""
    return cast(_Function, njit(forceinline=True)(function))


def streamed(function: _Function) -> _Function:
    """Compile a function into those that call it, so that its loops take several elements at once.

    A division by 0 gives infinity or NaN: to look at every divisor would hold them up.
    """
    return cast(_Function, njit(forceinline=True, error_model="numpy")(function))


def _generating(function: Callable[..., Any]) -> Any:
    """Let a function write machine code itself."""
    return intrinsic(function)


def _pointer_to(element: Any) -> Any:
    @_generating
    def pointer(_context: Any, address: Any) -> Any:
        signature = types.CPointer(element)(address)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return signature, generate

    return pointer


@_generating
def float_of_bits(_context: Any, bits: Any) -> Any:
    """Read the 64 bits of an integer as a float."""
    signature = types.float64(types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    return signature, generate


@_generating
def bits_of_float(_context: Any, number: Any) -> Any:
    """Read the 64 bits of a float as an integer."""
    signature = types.int64(types.float64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    return signature, generate


@_generating
def lowest_bit(_context: Any, bits: Any) -> Any:
    """Place of the lowest bit that is set in an unsigned integer of 64 bits; 64 where none is."""
    signature = types.int64(types.uint64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return signature, generate


@_generating
def _prefetch(_context: Any, address: Any) -> Any:
    signature = types.void(types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = ir.PointerType(ir.IntType(8))
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        builder.call(function, [builder.inttoptr(arguments[0], pointer), *(ir.Constant(number, n) for n in (1, 3, 1))])
        return context.get_dummy_value()

    return signature, generate


@inlined
def fetch_ahead(address: int, size: int) -> None:
    """Ask for memory that will be written soon, so that nothing waits for it then."""
    for at in range(address, address + size, 64):
        _prefetch(at)


_to_i64, _to_i32, _to_f64 = (_pointer_to(element) for element in (types.int64, types.int32, types.float64))
_to_flag, _to_u32 = _pointer_to(types.boolean), _pointer_to(types.uint32)


@inlined
def i64_column(deck: I64, column: int) -> I64:
    """Column ``column`` of a deck (see ``features.kernel.events``) as int64."""
    found: I64 = carray(_to_i64(deck[2 * column]), deck[2 * column + 1])
    return found


@inlined
def i32_column(deck: I64, column: int) -> I32:
    """Column ``column`` of a deck as int32."""
    found: I32 = carray(_to_i32(deck[2 * column]), deck[2 * column + 1])
    return found


@inlined
def code_column(deck: I64, column: int) -> I32:
    """Column ``column`` of a deck, int32 and never negative: no index needs a look whether it counts from the end."""
    found: I32 = carray(_to_u32(deck[2 * column]), deck[2 * column + 1])
    return found


@inlined
def f64_column(deck: I64, column: int) -> F64:
    """Column ``column`` of a deck as float64."""
    found: F64 = carray(_to_f64(deck[2 * column]), deck[2 * column + 1])
    return found


@inlined
def flag_column(deck: I64, column: int) -> Flags:
    """Column ``column`` of a deck as booleans."""
    found: Flags = carray(_to_flag(deck[2 * column]), deck[2 * column + 1])
    return found


def room_for(dtype: Any) -> Callable[[Whole, Any], Any]:
    """Make a compiled function of (address, n) that sees the memory there as ``n`` elements of ``dtype``.

    Such an array counts no references. An array that does pays for each function it is handed to, and a kernel hands
    its sums to many.
    """
    pointer = _pointer_to(from_dtype(np.dtype(dtype)))

    def room(address: Whole, n: Any) -> Any:
        return carray(pointer(address), n)

    return inlined(room)
