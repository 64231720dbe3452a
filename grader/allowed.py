"""What code may use that is to be written by hand: of each open module the names that bring in what they say."""

from __future__ import annotations

import cmath
import collections.abc
import itertools
import math
import re
import time
from types import ModuleType

import numpy as np


def _public(module: ModuleType, *but: str) -> frozenset[str]:
    """The names that a library's module has for its users; its inner modules are none."""
    inner = {name for name in dir(module) if name.startswith("_") or isinstance(getattr(module, name), ModuleType)}
    return frozenset(dir(module)) - inner - set(but)


# What code may use that is to be written by hand: names that bring in what they say, no code that text describes.


TYPES = """
b1 boolean byte c16 c8 char double f4 f8 i1 i2 i4 i8 int_ none optional size_t ssize_t u1 u2 u4 u8 uchar void
Array DictType FunctionType List ListType Literal Optional Tuple UniTuple unicode_type
"""
LISTED = f"""
collections : ChainMap Counter OrderedDict defaultdict deque namedtuple
copy : copy deepcopy
dataclasses : asdict astuple dataclass field replace
enum : Enum IntEnum auto
functools : cache lru_cache partial reduce wraps
multiprocessing : cpu_count
numba : {TYPES} from_dtype get_num_threads get_thread_id guvectorize jit literal_unroll literally njit pndindex prange
    set_num_threads stencil typeof vectorize
numba.core.types : {TYPES}
numba.cuda : {TYPES} activemask all_sync any_sync atomic ballot_sync blockDim blockIdx brev cbrt clz const
    current_context device_array device_array_like eq_sync event event_elapsed_time ffs fma fp16 get_current_device grid
    gridDim gridsize is_available jit laneid lanemask_lt local mapped_array match_all_sync match_any_sync nanosleep
    pinned_array popc select_device selp shared shfl_down_sync shfl_sync shfl_up_sync shfl_xor_sync stream synchronize
    syncthreads syncthreads_and syncthreads_count syncthreads_or syncwarp threadIdx threadfence threadfence_block
    threadfence_system to_device warpsize
numba.extending : register_jitable
numba.typed : Dict List
numba.types : {TYPES}
numpy.lib.stride_tricks : as_strided sliding_window_view
numpy.typing : ArrayLike DTypeLike NDArray
operator : abs add and_ eq floordiv ge gt index itemgetter le lt mod mul ne neg not_ or_ pos pow sub truediv xor
os : cpu_count
random : Random choice gauss randint random randrange sample seed shuffle uniform
sys : argv float_info maxsize path stderr stdout version_info
timeit : default_timer
typing : Annotated Any Callable ClassVar Dict Final Generic Iterable Iterator List Literal Mapping NamedTuple NoReturn
    Optional Protocol Self Sequence Set Tuple Type TYPE_CHECKING TypeAlias TypeVar TypedDict Union cast final overload
warnings : filterwarnings simplefilter warn
"""


def _open() -> dict[str, frozenset[str]]:
    """Each module that may be used, with the names of it that may."""
    numbers = {name for name, value in vars(np).items() if isinstance(value, type) and issubclass(value, np.generic)}
    found = {module.__name__: _public(module) for module in (cmath, collections.abc, itertools, math, time)}
    found |= {module.__name__: _public(module, "test") for module in (np.fft, np.linalg, np.random)}
    found["numpy"] = _public(np, "asmatrix", "bmat", "load", "matrix", "test")
    for module, names in re.findall(r"^(\S+) : ((?:.|\n(?!\S+ : ))*)", LISTED, re.MULTILINE):
        found[module] = frozenset(names.split()) | (numbers if "boolean" in names else set())
    return found


OPEN = _open()


def is_open(path: str) -> bool:
    """Whether something of a library, as "numpy.random.default_rng", is what may be used in code written by hand."""
    parts = path.split(".")
    modules = [".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]
    longest = next((module for module in modules if module in OPEN), "")
    return bool(longest) and parts[longest.count(".") + 1] in OPEN[longest]
