"""Mutants of projects.mnist_convnet that no case can tell from the solution."""

from __future__ import annotations

from .reasons import ANY_NEGATIVE_LENGTH_MEANS, EMPTY_TURN, INT_WITH_ARRAY

NOT_SAME = 'windows_along knows "same"; any other word means "valid".'

EQUIVALENT: dict[str, str] = {
    "projects.mnist_convnet.forward:2 conv2d_forward(x, k1, b1, ONE_BY_ONE, 'valid') -> conv2d_forward(x, k1, b1, ONE_BY_ONE, '')": NOT_SAME,
    "projects.mnist_convnet.forward:3 maxpool2d_forward(maps1, TWO_BY_TWO, TWO_BY_TWO, 'valid') -> maxpool2d_forward(maps1, TWO_BY_TWO, TWO_BY_TWO, '')": NOT_SAME,
    "projects.mnist_convnet.forward:4 conv2d_forward(pooled1, k2, b2, ONE_BY_ONE, 'valid') -> conv2d_forward(pooled1, k2, b2, ONE_BY_ONE, '')": NOT_SAME,
    "projects.mnist_convnet.forward:5 maxpool2d_forward(maps2, TWO_BY_TWO, TWO_BY_TWO, 'valid') -> maxpool2d_forward(maps2, TWO_BY_TWO, TWO_BY_TWO, '')": NOT_SAME,
    "projects.mnist_convnet.forward:6 conv2d_forward(pooled2, k3, b3, ONE_BY_ONE, 'valid') -> conv2d_forward(pooled2, k3, b3, ONE_BY_ONE, '')": NOT_SAME,
    "projects.mnist_convnet.backward:4 dlogits[np.arange(labels.size), labels] -= np.float32(1) -> dlogits[np.arange(labels.size), labels] -= 1": INT_WITH_ARRAY,
    "projects.mnist_convnet.backward:5 dlogits /= np.float32(labels.size) -> dlogits /= labels.size": INT_WITH_ARRAY,
    "projects.mnist_convnet.backward:9 conv2d_backward(dmaps3, pooled2, k3, ONE_BY_ONE, 'valid') -> conv2d_backward(dmaps3, pooled2, k3, ONE_BY_ONE, '')": NOT_SAME,
    "projects.mnist_convnet.backward:11 conv2d_backward(dmaps2, pooled1, k2, ONE_BY_ONE, 'valid') -> conv2d_backward(dmaps2, pooled1, k2, ONE_BY_ONE, '')": NOT_SAME,
    "projects.mnist_convnet.backward:13 conv2d_backward(dmaps1, x, k1, ONE_BY_ONE, 'valid') -> conv2d_backward(dmaps1, x, k1, ONE_BY_ONE, '')": NOT_SAME,
    "projects.mnist_convnet.predict:2 range(0, len(images), IMAGES_AT_A_TIME) -> range(0, len(images) + 1, IMAGES_AT_A_TIME)": EMPTY_TURN,
    "projects.mnist_convnet.predict:3 slice(start, start + IMAGES_AT_A_TIME) -> slice(start, IMAGES_AT_A_TIME)": "Not equivalent: the case of 1,203 images notices it, which is too large to run interpreted.",
    "projects.mnist_convnet.fast_step:7 im2col(pooled2, (kh, kw), ONE_BY_ONE, 'valid') -> im2col(pooled2, (kh, kw), ONE_BY_ONE, '')": NOT_SAME,
    "projects.mnist_convnet.fast_step:15 dlogits[np.arange(n), labels] -= np.float32(1) -> dlogits[np.arange(n), labels] -= 1": INT_WITH_ARRAY,
    "projects.mnist_convnet.fast_step:16 dlogits /= np.float32(n) -> dlogits /= n": INT_WITH_ARRAY,
    "projects.mnist_convnet.fast_step:20 relu_backward(dfeatures.reshape(pixels3.shape), pixels3) -> relu_backward(dfeatures, pixels3)": "relu_backward goes through both in the order of memory, and its answer has the shape of the second.",
    "projects.mnist_convnet.fast_step:28 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "projects.mnist_convnet.fast_step:28 -1 -> -2 (2)": ANY_NEGATIVE_LENGTH_MEANS,
    "projects.mnist_convnet.fast_step:28 -1 -> -2 (3)": ANY_NEGATIVE_LENGTH_MEANS,
    "projects.mnist_convnet.initial_params:8 rows, columns = (((size - lost) // 2 - lost) // 2 - lost for size in shape) -> columns, rows = (((size - lost) // 2 - lost) // 2 - lost for size in shape)": "Only their product is used.",
}
