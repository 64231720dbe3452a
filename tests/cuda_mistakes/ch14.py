"""Wrong kernels of ch14_cuda_training, and host functions that go the wrong way about it."""

from . import Faults
from .ch12 import GUARD

faults = Faults()
add = faults.add

for name in ("sgd_kernel", "momentum_kernel", "rmsprop_kernel", "adam_kernel"):
    add(name, "a walk that goes too far", "w.size,", "w.size + 1,", GUARD)
    add(name, "steps of a block", "cuda.gridsize(1)", "cuda.blockDim.x", "a race on")
add("momentum_kernel", "the velocity read again", "w[i] += velocity", "w[i] += v[i]", "v is read 2 times per element")
add(
    "gather_kernel",
    "every thread of a row copies the label",
    "if begin == 0:",
    "if begin >= 0:",
    "batch_labels is written",
)
add("gather_kernel", "a walk that goes too far", "range(begin, features,", "range(begin, features + 1,", GUARD)
add(
    "mlp_train_step",
    "a look at the loss",
    "    w1, b1, w2, b2 = params\n",
    "    w1, b1, w2, b2 = params\n    loss.copy_to_host()\n",
    "between host and device once",
)
add(
    "mlp_train_step",
    "gradients that nobody cleared",
    "        clear_kernel[blocks_for(bias.size, THREADS), THREADS](bias)\n",
    "        pass\n",
    "should be",
)
