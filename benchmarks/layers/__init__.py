"""Every layer's forward and backward pass against Keras and PyTorch: `python -m benchmarks.layers`."""
