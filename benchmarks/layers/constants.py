"""The layers' constants, the same in every library."""

SLOPE = 0.2  # of leaky_relu
RATE = 0.5  # of dropout
MOMENTUM, NORM_EPSILON = 0.99, 1e-3  # of batch normalization
CLIP = 1e-7  # of probabilities
LEARNING_RATE, RHO, BETA1, BETA2 = 1e-3, 0.9, 0.9, 0.999  # of the optimizers
EPSILON = 1e-30  # of the optimizers; PyTorch adds it outside the root: so small, it does not matter where
