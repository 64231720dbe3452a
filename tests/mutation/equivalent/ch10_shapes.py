"""Mutants of ch10_shapes that no case can tell from the solution."""

from __future__ import annotations

from .reasons import FACTORS, REFUSAL

EQUIVALENT: dict[str, str] = {
    "ch10_shapes.window_output_size:3 if padding != 'valid' or f > n: -> if padding != 'valid' or f > n: pass": REFUSAL,
    "ch10_shapes.window_output_size:3 padding != 'valid' or f > n -> padding != 'valid' and f > n": REFUSAL,
    "ch10_shapes.window_output_size:3 padding != 'valid' or f > n -> padding != 'valid'": REFUSAL,
    "ch10_shapes.window_output_size:3 padding != 'valid' or f > n -> f > n": REFUSAL,
    "ch10_shapes.layer_output_shape:21 if kind in ('batch_normalization', 'dropout', 'activation'): -> if True:": REFUSAL,
    "ch10_shapes.layer_output_shape:23 raise ValueError(f'unknown layer {kind!r}') -> nothing": REFUSAL,
    "ch10_shapes.layer_params:3 embedding_params(settings['input_dim'], settings['output_dim']) -> embedding_params(settings['output_dim'], settings['input_dim'])": FACTORS,
    "ch10_shapes.layer_params:6 kh, kw = settings['kernel_size'] -> kw, kh = settings['kernel_size']": FACTORS,
    "ch10_shapes.layer_params:7 conv2d_params(kh, kw, features, settings['filters']) -> conv2d_params(kw, kh, features, settings['filters'])": FACTORS,
    "ch10_shapes.layer_params:7 conv2d_params(kh, kw, features, settings['filters']) -> conv2d_params(kh, features, kw, settings['filters'])": FACTORS,
    "ch10_shapes.classic_network:29 if name not in networks: -> if name not in networks: pass": REFUSAL,
}
