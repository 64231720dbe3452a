"""Mutants of ch14_cuda_training that no case can tell from the solution."""

from __future__ import annotations

from .reasons import WIDER

WALKS = "The kernel walks in steps of the grid, or stops at the end: a launch of another shape does all the work too."
ANOTHER_NAME = "A name for scratch memory that no other array of the step has."
FIRST_ELEMENT = "The loss is added to the first element; there may be more."

EQUIVALENT: dict[str, str] = {
    "ch14_cuda_training.sgd_kernel:1 rate = np.float32(lr) -> rate = lr": WIDER,
    "ch14_cuda_training.momentum_kernel:1 rate, keep = (np.float32(lr), np.float32(momentum)) -> rate, keep = (lr, np.float32(momentum))": WIDER,
    "ch14_cuda_training.momentum_kernel:1 rate, keep = (np.float32(lr), np.float32(momentum)) -> rate, keep = (np.float32(lr), momentum)": WIDER,
    "ch14_cuda_training.rmsprop_kernel:1 rate, floor = (np.float32(lr), np.float32(eps)) -> rate, floor = (lr, np.float32(eps))": WIDER,
    "ch14_cuda_training.rmsprop_kernel:1 rate, floor = (np.float32(lr), np.float32(eps)) -> rate, floor = (np.float32(lr), eps)": WIDER,
    "ch14_cuda_training.rmsprop_kernel:2 keep, blend = (np.float32(rho), np.float32(1.0 - rho)) -> keep, blend = (rho, np.float32(1.0 - rho))": WIDER,
    "ch14_cuda_training.rmsprop_kernel:2 np.float32(1.0 - rho) -> 1.0 - rho": WIDER,
    "ch14_cuda_training.adam_kernel:1 one, step = (np.float32(1), np.float32(t)) -> one, step = (1, np.float32(t))": WIDER,
    "ch14_cuda_training.adam_kernel:1 one, step = (np.float32(1), np.float32(t)) -> one, step = (np.float32(1), t)": WIDER,
    "ch14_cuda_training.adam_kernel:2 np.float32(lr) * math.sqrt(one - np.float32(beta2) ** step) -> lr * math.sqrt(one - np.float32(beta2) ** step)": WIDER,
    "ch14_cuda_training.adam_kernel:2 np.float32(beta2) ** step -> beta2 ** step": WIDER,
    "ch14_cuda_training.adam_kernel:2 np.float32(beta1) ** step -> beta1 ** step": WIDER,
    "ch14_cuda_training.adam_kernel:3 np.float32(1.0 - beta1) -> 1.0 - beta1": WIDER,
    "ch14_cuda_training.adam_kernel:3 np.float32(1.0 - beta2) -> 1.0 - beta2": WIDER,
    "ch14_cuda_training.adam_kernel:4 floor = np.float32(eps) -> floor = eps": WIDER,
    "ch14_cuda_training.mlp_train_step:5 scratch('hidden', (n, units)) -> scratch('', (n, units))": ANOTHER_NAME,
    "ch14_cuda_training.mlp_train_step:5 scratch('logits', (n, classes)) -> scratch('', (n, classes))": ANOTHER_NAME,
    "ch14_cuda_training.mlp_train_step:9 scratch('dlogits', (n, classes)) -> scratch('', (n, classes))": ANOTHER_NAME,
    "ch14_cuda_training.mlp_train_step:10 softmax_crossentropy_kernel[blocks_for(n * WARP, THREADS), THREADS] -> softmax_crossentropy_kernel[blocks_for(n * WARP, THREADS) + 1, THREADS]": WALKS,
    "ch14_cuda_training.mlp_train_step:15 clear_kernel[blocks_for(bias.size, THREADS), THREADS] -> clear_kernel[blocks_for(bias.size, THREADS) + 1, THREADS]": WALKS,
    "ch14_cuda_training.mlp_train_step:15 clear_kernel[blocks_for(bias.size, THREADS), THREADS] -> clear_kernel[blocks_for(bias.size, THREADS), THREADS + 1]": WALKS,
    "ch14_cuda_training.mlp_train_step:15 clear_kernel[blocks_for(bias.size, THREADS), THREADS] -> clear_kernel[blocks_for(bias.size, THREADS), THREADS - 1]": WALKS,
    "ch14_cuda_training.mlp_train_step:15 clear_kernel[blocks_for(bias.size, THREADS), THREADS] -> clear_kernel[THREADS, blocks_for(bias.size, THREADS)]": WALKS,
    "ch14_cuda_training.mlp_train_step:15 blocks_for(bias.size, THREADS) -> blocks_for(THREADS, bias.size)": WALKS,
    "ch14_cuda_training.mlp_train_step:16 scratch('dhidden', (n, units)) -> scratch('', (n, units))": ANOTHER_NAME,
    "ch14_cuda_training.mlp_train_step:18 column_sum_kernel[grid_for(dlogits.shape, columns), columns] -> column_sum_kernel[columns, grid_for(dlogits.shape, columns)]": WALKS,
    "ch14_cuda_training.mlp_train_step:18 grid_for(dlogits.shape, columns) -> grid_for(columns, dlogits.shape)": WALKS,
    "ch14_cuda_training.mlp_train_step:21 relu_backward_kernel[blocks_for(row.size, THREADS), THREADS] -> relu_backward_kernel[blocks_for(row.size, THREADS) + 1, THREADS]": WALKS,
    "ch14_cuda_training.mlp_train_step:21 relu_backward_kernel[blocks_for(row.size, THREADS), THREADS] -> relu_backward_kernel[blocks_for(row.size, THREADS), THREADS + 1]": WALKS,
    "ch14_cuda_training.mlp_train_step:21 relu_backward_kernel[blocks_for(row.size, THREADS), THREADS] -> relu_backward_kernel[blocks_for(row.size, THREADS), THREADS - 1]": WALKS,
    "ch14_cuda_training.mlp_train_step:21 relu_backward_kernel[blocks_for(row.size, THREADS), THREADS] -> relu_backward_kernel[THREADS, blocks_for(row.size, THREADS)]": WALKS,
    "ch14_cuda_training.mlp_train_step:21 blocks_for(row.size, THREADS) -> blocks_for(THREADS, row.size)": WALKS,
    "ch14_cuda_training.mlp_train_step:23 column_sum_kernel[grid_for(dhidden.shape, columns), columns] -> column_sum_kernel[columns, grid_for(dhidden.shape, columns)]": WALKS,
    "ch14_cuda_training.mlp_train_step:27 rmsprop_kernel[blocks_for(param.size, THREADS), THREADS] -> rmsprop_kernel[blocks_for(param.size, THREADS) + 1, THREADS]": WALKS,
    "ch14_cuda_training.mlp_train_step:27 rmsprop_kernel[blocks_for(param.size, THREADS), THREADS] -> rmsprop_kernel[blocks_for(param.size, THREADS), THREADS + 1]": WALKS,
    "ch14_cuda_training.mlp_train_step:27 rmsprop_kernel[blocks_for(param.size, THREADS), THREADS] -> rmsprop_kernel[blocks_for(param.size, THREADS), THREADS - 1]": WALKS,
    "ch14_cuda_training.mlp_train_step:27 rmsprop_kernel[blocks_for(param.size, THREADS), THREADS] -> rmsprop_kernel[THREADS, blocks_for(param.size, THREADS)]": WALKS,
    "ch14_cuda_training.mlp_train_step:27 blocks_for(param.size, THREADS) -> blocks_for(THREADS, param.size)": WALKS,
    "ch14_cuda_training.mlp_train_epoch:1 clear_kernel[blocks_for(losses.size, THREADS), THREADS] -> clear_kernel[blocks_for(losses.size, THREADS) + 1, THREADS]": WALKS,
    "ch14_cuda_training.mlp_train_epoch:1 clear_kernel[blocks_for(losses.size, THREADS), THREADS] -> clear_kernel[blocks_for(losses.size, THREADS), THREADS + 1]": WALKS,
    "ch14_cuda_training.mlp_train_epoch:1 clear_kernel[blocks_for(losses.size, THREADS), THREADS] -> clear_kernel[blocks_for(losses.size, THREADS), THREADS - 1]": WALKS,
    "ch14_cuda_training.mlp_train_epoch:1 clear_kernel[blocks_for(losses.size, THREADS), THREADS] -> clear_kernel[THREADS, blocks_for(losses.size, THREADS)]": WALKS,
    "ch14_cuda_training.mlp_train_epoch:1 blocks_for(losses.size, THREADS) -> blocks_for(THREADS, losses.size)": WALKS,
    "ch14_cuda_training.mlp_train_epoch:6 scratch('batch', (size, x.shape[1])) -> scratch('', (size, x.shape[1]))": ANOTHER_NAME,
    "ch14_cuda_training.mlp_train_epoch:7 scratch('batch labels', (size,), np.int64) -> scratch('', (size,), np.int64)": ANOTHER_NAME,
    "ch14_cuda_training.mlp_train_epoch:8 gather_kernel[grid_for(batch.shape, block), block] -> gather_kernel[block, grid_for(batch.shape, block)]": WALKS,
    "ch14_cuda_training.mlp_train_epoch:8 grid_for(batch.shape, block) -> grid_for(block, batch.shape)": WALKS,
    "ch14_cuda_training.mlp_train_epoch:9 losses[number:number + 1] -> losses[number:number + 1 + 1]": FIRST_ELEMENT,
    "ch14_cuda_training.mlp_train_epoch:9 number + 1 -> number + 2": FIRST_ELEMENT,
}
