"""The CUDA kernels at full size: are they right, and how fast beside the device's own limits and PyTorch."""
