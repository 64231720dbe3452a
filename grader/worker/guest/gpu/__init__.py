"""CUDA kernels in a guest: on numba's simulator, through its compiler, and on a device.

    strand      a simulated thread's own stack: greenlets, or threads of the system where there are none
    block       the threads of a block: who runs, who waits at which barrier, who can never go on
    memory      the arrays of a kernel: every access is checked, counted and watched
    races       which two accesses nothing orders
    traffic     what a kernel asks of memory, and how well a warp's accesses fit together
    arithmetic  Python's `math` as a device has it
    hostside    device arrays as a host function sees them
    intrinsics  what a kernel calls `cuda`
    simulator   launches, in the place of numba's own
    compiler    PTX and machine code without a device
    device      the real thing

Everything here is in reach of the student's code: what it reports can only take points that the numbers give, and code
that sets out to deceive can forge it.
"""
