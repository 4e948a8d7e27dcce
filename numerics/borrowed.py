"""Arrays that compiled code uses without counting who else does.

Every time an array, or a tuple that holds some, is handed to a function, numba counts its owners up
and down again, in instructions that other threads can see. In the structured integrator, whose
functions share some sixty small arrays, this was 40 % of the time at L = 64.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

__all__ = ["borrowed"]


@intrinsic
def borrowed(typing: Any, given: Any) -> Any:
    """The same array, or tuple with arrays in it, without an owner.

    For compiled code, about arguments that the caller keeps alive as long as the result is used.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _without_owner(context, builder, signature.return_type, arguments[0])

    return given(given), generate


def _without_owner(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if isinstance(kind, types.Array):
        array = make_array(kind)(context, builder, value=value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        items = cgutils.unpack_tuple(builder, value)
        bare = [_without_owner(context, builder, *pair) for pair in zip(kind, items, strict=True)]
        return context.make_tuple(builder, kind, bare)
    return value
