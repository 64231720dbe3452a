"""A network that predicts a number: the prices of houses in Boston's suburbs, and how to choose with only 404 samples.

Each row describes a suburb by 13 features; the target is the median price of its homes in thousands of dollars, around
1970, when a house cost 22. Three things are new against the digits:

    regression    the last layer is one unit without an activation, the loss is the mean squared error, and what we
                  read is the mean absolute error (MAE): 2.5 means "off by 2,500 dollars on average"
    scale         features of all sizes: every one is standardized, with the training rows' mean and deviation
    few data      80 validation rows drawn one way or another move the MAE by half a thousand: K-fold validation
                  trains k networks, validates every row once, and takes the mean

The network is 13 - 64 - 64 - 1, with a ReLU after both hidden layers. From rows to a choice:

    prepare          standardized features
    predict          one forward pass: a price per row
    evaluate         the MAE of these prices
    train_step       forward, loss, backward, update: one batch, one step of all six parameters
    train_epoch      one step per batch, in a given order
    fast_epoch       the same epoch again, made for speed
    initial_params   Glorot's weights, zero biases
    train            initial parameters, then epoch after epoch
    learning_curve   the same, and after every epoch the MAE on validation rows
    cross_validate   one learning curve per cut
    kfold_scores, iterated_kfold_scores   the cuts of the chapter on evaluation
    best_epoch       where the mean curve is lowest: so long the final network is trained, on all training rows

Then, once, the test rows are looked at. Keras reaches an MAE of about 2.5 on them.

**A column that should not be there.** `B` is computed from the share of Black residents: the authors of the table built
race into a model of house prices, on the assumption that segregation moves them. A network given that column learns to
use it. The lectures use the table, so it is here; no model made from it is fit for any use but this exercise. Every
function below takes any number of features, and `datasets.load("california")` offers 20,640 districts with eight,
none of which is about race. Its prices are in dollars: divide them by 100,000, or RMSprop, which moves a weight by
about 0.001 per step, will not get there.
Follows Episode 2, "Predicting house prices: a regression example", and Fundamentals (K-fold validation).
"""

import numpy as np
from numba import njit

from ..ch02_preprocessing import fit_standardizer, standardize
from ..ch03_activations import relu, relu_backward
from ..ch04_losses import mse, mse_backward
from ..ch05_dense import dense_backward, dense_forward, glorot_uniform
from ..ch06_optimizers import rmsprop_step
from ..ch08_evaluation import iterated_kfold_indices, kfold_indices, mae_metric

LEARNING_RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7


def prepare(x_train, x_test):
    """Standardize training and test rows, both by what the training rows say.

    Parameters
    ----------
    x_train : float (n, features); float64 as Boston's table comes, or float32
    x_test : float (m, features); rows of which nothing may be learned, not even their mean

    Returns
    -------
    train_rows : float32 (n, features): every feature has mean 0 and standard deviation 1
    test_rows : float32 (m, features): moved and divided by the same numbers

    Approach: make both float32; your fit_standardizer looks at the training rows, your standardize serves both.
    Example: x_train = [[1, 10], [3, 30]], x_test = [[5, 20]] gives [[-1, -1], [1, 1]] and [[3, 0]].
    Trap: the test rows' own mean and deviation are not to be used, and neither are those of all rows together: then
    the test set has a say in what the network sees in training.
    Lecture: Episode 2, preparing the data: feature-wise normalization.
    """
    ### BEGIN SOLUTION
    x_train, x_test = x_train.astype(np.float32), x_test.astype(np.float32)
    mean, std = fit_standardizer(x_train)
    return standardize(x_train, mean, std), standardize(x_test, mean, std)
    ### END SOLUTION


def predict(x, params):
    """The network's prices: dense - relu - dense - relu - dense.

    Parameters
    ----------
    x : float32 (n, features); prepared rows
    params : (w1, b1, w2, b2, w3, b3), float32 (features, first), (first,), (first, second), (second,), (second, 1),
        (1,); first and second are the units of the hidden layers

    Returns
    -------
    float32 (n, 1): one price per row

    Approach: your dense_forward three times, your relu after the first two.
    Example: x = [[2]], w1 = [[1, -1]], w2 = [[1, 0], [0, 1]], w3 = [[3], [5]], b1 = b2 = [0, 0] and b3 = [0.5]: the
    hidden layers are [2, 0] and [2, 0], the price is 6.5.
    Trap: no activation at the end. A sigmoid there says at most 1, a ReLU cannot come back from below 0.
    Lecture: Episode 2, building the network: a linear last layer predicts values in any range.
    """
    ### BEGIN SOLUTION
    w1, b1, w2, b2, w3, b3 = params
    first = relu(dense_forward(x, w1, b1))
    second = relu(dense_forward(first, w2, b2))
    return dense_forward(second, w3, b3)
    ### END SOLUTION


def evaluate(x, targets, params):
    """The mean absolute error of the network's prices, in the unit of the targets.

    Parameters
    ----------
    x : float32 (n, features); prepared rows
    targets : float32 (n,); their prices
    params : (w1, b1, w2, b2, w3, b3), as in predict

    Returns
    -------
    float: the mean of |price - target| over the rows

    Approach: predict, then your mae_metric.
    Example: the network of predict's example with x = [[2], [0]] says 6.5 and 0.5; with targets = [7, 3] the errors are
    0.5 and 2.5: their mean is 1.5.
    Trap: the prices are (n, 1), the targets (n,). NumPy subtracts every target from every price: (n, n) differences,
    without any error. Reshape the prices first.
    Lecture: Episode 2, the metric: a MAE of 0.5 means that the prices are off by 500 dollars on average.
    """
    ### BEGIN SOLUTION
    return mae_metric(targets, predict(x, params).reshape(-1))
    ### END SOLUTION


def train_step(x, targets, params, slots, lr, rho, eps):
    """One batch, one step: every parameter moves a little against its gradient, in place.

    Parameters
    ----------
    x : float32 (n, features); one batch of prepared rows
    targets : float32 (n,); their prices
    params : (w1, b1, w2, b2, w3, b3), as in predict; changed in place
    slots : six float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    float: the mean squared error of the batch, with the weights as they were *before* the step

    Approach: the forward pass of predict again, but keep the hidden layers: dense_backward wants each layer's input and
    relu_backward its mask (hidden > 0 exactly where the ReLU's input was). The way back begins with your mse_backward.
    Then rmsprop_step for each parameter with its own gradient and its own slot.
    Example: the network of predict's example, x = [[2]], targets = [5.5]: the price 6.5 is 1 too high, the loss 1, its
    gradient 2, dw3 = [[4], [0]] and db3 = [2]. With lr = 0.1, rho = 0.9, eps = 1e-7 and zero slots, b3 becomes
    0.5 - 0.1 * 2 / sqrt(0.4) = 0.1838 and its slot 0.4.
    Trap: targets (n,) beside prices (n, 1) again: of the loss of all (n, n) pairs a network learns to say the mean
    price. Here its gradient is (n, n) too, fits no weights, and ends in an IndexError. Make the targets (n, 1) first.
    Lecture: Episode 2, compiling with the mean squared error; the training loop.
    """
    ### BEGIN SOLUTION
    w1, b1, w2, b2, w3, b3 = params
    first = relu(dense_forward(x, w1, b1))
    second = relu(dense_forward(first, w2, b2))
    prices, wanted = dense_forward(second, w3, b3), targets.reshape(-1, 1)
    loss = mse(wanted, prices)
    dsecond, dw3, db3 = dense_backward(mse_backward(wanted, prices), second, w3)
    dfirst, dw2, db2 = dense_backward(relu_backward(dsecond, second), first, w2)
    _, dw1, db1 = dense_backward(relu_backward(dfirst, first), x, w1)
    # all six gradients belong to the same weights: none may move before the last one is known
    for param, gradient, slot in zip(params, (dw1, db1, dw2, db2, dw3, db3), slots, strict=True):
        rmsprop_step(param, gradient, slot, lr, rho, eps)
    return loss
    ### END SOLUTION


def train_epoch(x, targets, params, slots, order, batch_size, lr, rho, eps):
    """One pass over the training rows, batch by batch, in a given order.

    Parameters
    ----------
    x : float32 (n, features); prepared rows
    targets : float32 (n,)
    params, slots : six float32 arrays each, changed in place, as in train_step
    order : int64 (m,); which row comes when; the first batch is order[:batch_size]
    batch_size : int
    lr, rho, eps : float

    Returns
    -------
    float32 (number of batches,): the loss of each batch, before its step

    Approach: for each batch take its indices from the order, and make one step with these rows and these targets.
    Example: 404 rows in batches of 16 are 26 steps, the last one with 4 rows.
    Trap: rows and targets must be picked by the same indices.
    Lecture: Episode 2, "fit".
    """
    ### BEGIN SOLUTION
    losses = []
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        losses.append(train_step(x[batch], targets[batch], params, slots, lr, rho, eps))
    return np.array(losses, np.float32)
    ### END SOLUTION


@njit(cache=True)
def add_scaled(row, factor, other):
    """row += factor * other, in place. Given, not asked.

    Parameters
    ----------
    row, other : float32 (n,)
    factor : float32
    """
    for j in range(row.size):
        row[j] += factor * other[j]


@njit(cache=True, fastmath={"reassoc", "contract"})
def dot(a, b):
    """The sum of a * b. Given, not asked.

    "reassoc" allows the compiler to add in any order: only so a sum becomes vector instructions.

    Parameters
    ----------
    a, b : float32 (n,)
    """
    total = np.float32(0)
    for j in range(a.size):
        total += a[j] * b[j]
    return total


@njit(cache=True)
def fast_epoch(x, targets, params, slots, order, batch_size, lr, rho, eps):
    """train_epoch once more, for speed: the same arguments, the same answer, in one compiled function.

    A step of this network is a quarter of a million multiplications: some thirty microseconds. What train_step spends
    beside them costs more: twenty calls from Python into compiled code, a new array for every result, threads woken for
    each matrix product, which take longer to wake than to work. So:

    - The whole epoch is one call. Whatever it needs is allocated once, before the first batch.
    - No threads. A network that fits into the cache of one core is best left there.
    - One sample at a time: a layer is then a sum of rows of its weights, `add_scaled` once per input. Its gradients are
      added up over the batch, and the step is made at the end of it.
    - Half of the hidden units are off. One that is off adds nothing to the next layer, its row of the gradient gets
      nothing, and nothing passes through it on the way back: skip it, forwards and backwards.

    Parameters
    ----------
    x : float32 (n, features); prepared rows
    targets : float32 (n,)
    params, slots : six float32 arrays each, changed in place, as in train_step
    order : int64 (m,); which row comes when; the first batch is order[:batch_size]
    batch_size : int
    lr, rho, eps : float

    Returns
    -------
    float32 (number of batches,): the loss of each batch, before its step

    Approach: per batch: gradients to zero; per sample: forward, the slope 2 * error / (rows of this batch), and back,
    adding to the gradients; then six times rmsprop_step. Forwards a layer goes row by row, with `add_scaled`; backwards
    through unit k is one `dot` of row k of the weights with the upstream gradient. w3 has one column: its reshape(-1)
    is the same memory as a plain vector.
    Example: that of train_epoch: it is the same function.
    Trap: what is allocated once must be set to zero once per batch, or every step repeats all the steps before it.
    Lecture: Episode 2, "fit"; the chapter on speed.
    """
    ### BEGIN SOLUTION
    w1, b1, w2, b2, w3, b3 = params
    slot_w1, slot_b1, slot_w2, slot_b2, slot_w3, slot_b3 = slots
    dw1, db1 = np.empty_like(w1), np.empty_like(b1)
    dw2, db2 = np.empty_like(w2), np.empty_like(b2)
    dw3, db3 = np.empty_like(w3), np.empty_like(b3)
    out, dout = w3.reshape(-1), dw3.reshape(-1)
    first, second = np.empty_like(b1), np.empty_like(b2)
    dfirst, dsecond = np.empty_like(b1), np.empty_like(b2)
    losses = np.zeros((order.size + batch_size - 1) // batch_size, np.float32)
    for batch in range(losses.size):
        rows = order[batch * batch_size : (batch + 1) * batch_size]
        size = np.float32(rows.size)
        dw1[:] = 0
        db1[:] = 0
        dw2[:] = 0
        db2[:] = 0
        dw3[:] = 0
        db3[:] = 0
        for i in rows:
            first[:] = b1
            for k in range(x.shape[1]):
                add_scaled(first, x[i, k], w1[k])
            second[:] = b2
            for k in range(first.size):
                if first[k] > 0:
                    add_scaled(second, first[k], w2[k])
            for k in range(second.size):
                second[k] = max(second[k], np.float32(0))
            error = dot(second, out) + b3[0] - targets[i]
            losses[batch] += error * error / size

            slope = np.float32(2) * error / size
            db3[0] += slope
            add_scaled(dout, slope, second)
            for k in range(second.size):
                dsecond[k] = slope * out[k] if second[k] > 0 else np.float32(0)
            add_scaled(db2, np.float32(1), dsecond)
            for k in range(first.size):
                dfirst[k] = 0
                if first[k] > 0:
                    add_scaled(dw2[k], first[k], dsecond)
                    dfirst[k] = dot(w2[k], dsecond)
            add_scaled(db1, np.float32(1), dfirst)
            for k in range(x.shape[1]):
                add_scaled(dw1[k], x[i, k], dfirst)
        rmsprop_step(w1, dw1, slot_w1, lr, rho, eps)
        rmsprop_step(b1, db1, slot_b1, lr, rho, eps)
        rmsprop_step(w2, dw2, slot_w2, lr, rho, eps)
        rmsprop_step(b2, db2, slot_b2, lr, rho, eps)
        rmsprop_step(w3, dw3, slot_w3, lr, rho, eps)
        rmsprop_step(b3, db3, slot_b3, lr, rho, eps)
    return losses
    ### END SOLUTION


def initial_params(rng, features, units):
    """The parameters of a network that has not learned anything yet.

    Parameters
    ----------
    rng : numpy.random.Generator; draws the weights of the first layer, then the second's, then the last one's
    features : int; inputs of the network
    units : int; of each of the two hidden layers

    Returns
    -------
    (w1, b1, w2, b2, w3, b3) : float32 (features, units), (units,), (units, units), (units,), (units, 1), (1,); weights
    from your glorot_uniform, biases zero

    Approach: three calls of glorot_uniform, in the order of the layers.
    Example: features = 13, units = 64 makes 832 + 64 + 4,096 + 64 + 64 + 1 = 5,121 parameters.
    Trap: zero biases are fine, zero weights are not: all units of a layer would stay the same unit.
    Lecture: Deep Neural Networks, weight initialization.
    """
    ### BEGIN SOLUTION
    w1 = glorot_uniform(rng, features, units)
    w2 = glorot_uniform(rng, units, units)
    w3 = glorot_uniform(rng, units, 1)
    return w1, np.zeros(units, np.float32), w2, np.zeros(units, np.float32), w3, np.zeros(1, np.float32)
    ### END SOLUTION


def train(x, targets, rng, units, epochs, batch_size):
    """Train the network from scratch, with RMSprop as Keras has it (LEARNING_RATE, RHO, EPSILON above).

    Parameters
    ----------
    x : float32 (n, features); prepared rows
    targets : float32 (n,); their prices
    rng : numpy.random.Generator; draws the initial parameters, then each epoch's order
    units : int; of each hidden layer
    epochs : int
    batch_size : int

    Returns
    -------
    (w1, b1, w2, b2, w3, b3) : the trained parameters, as in predict

    Approach: initial_params, zero slots of the same shapes; before each epoch `rng.permutation(n)` draws its order.
    Example: with epochs = 0 the initial parameters come back.
    Trap: the slots live as long as the training. Fresh ones in every epoch forget how large the gradients were, and the
    first steps of each epoch are three times too long.
    Lecture: Episode 2, training the final model.
    """
    ### BEGIN SOLUTION
    params = initial_params(rng, x.shape[1], units)
    slots = tuple(np.zeros_like(param) for param in params)
    for _ in range(epochs):
        fast_epoch(x, targets, params, slots, rng.permutation(len(x)), batch_size, LEARNING_RATE, RHO, EPSILON)
    return params
    ### END SOLUTION


def learning_curve(x, targets, val_x, val_targets, rng, units, epochs, batch_size):
    """Train a network from scratch, and after every epoch ask how good it is on rows that it does not train on.

    Parameters
    ----------
    x : float32 (n, features); prepared rows to train on
    targets : float32 (n,)
    val_x : float32 (m, features); prepared rows to validate on
    val_targets : float32 (m,)
    rng : numpy.random.Generator; draws what train draws, in the same order
    units, epochs, batch_size : int, as in train

    Returns
    -------
    float32 (epochs,): the MAE on the validation rows after each epoch

    Approach: train's loop, with evaluate at the end of every turn.
    Example: with epochs = 130 the last of the 130 numbers is the MAE of the network that train would return.
    Trap: evaluate must not take a step, and the score belongs *after* the epoch: entry 0 is the network after one pass.
    Lecture: Episode 2, saving the validation scores at each epoch.
    """
    ### BEGIN SOLUTION
    params = initial_params(rng, x.shape[1], units)
    slots = tuple(np.zeros_like(param) for param in params)
    scores = np.empty(epochs, np.float32)
    for epoch in range(epochs):
        fast_epoch(x, targets, params, slots, rng.permutation(len(x)), batch_size, LEARNING_RATE, RHO, EPSILON)
        scores[epoch] = evaluate(val_x, val_targets, params)
    return scores
    ### END SOLUTION


def cross_validate(x, targets, folds, rng, units, epochs, batch_size):
    """One learning curve per cut, each of a network of its own, in rows that were standardized for it.

    Parameters
    ----------
    x : float (n, features); rows as they come, not prepared
    targets : float32 (n,)
    folds : pairs (train, val) of int64 arrays: the numbers of the rows to train and to validate on
    rng : numpy.random.Generator; draws what learning_curve draws, cut after cut
    units, epochs, batch_size : int, as in train

    Returns
    -------
    float32 (number of cuts, epochs): the validation MAE of each network after each epoch

    Approach: per cut: pick the rows, prepare them with this cut's training rows, pick the targets, learning_curve.
    Example: four cuts and 130 epochs give (4, 130); the mean over axis 0 is the curve to look at.
    Trap: standardizing all rows once, before they are cut, lets the validation rows have a say in the mean that they
    are judged with. Here it moves the score by little. With a rare feature, or with features chosen by looking at all
    rows, it moves it by much, and always towards a score that is too good.
    Lecture: Episode 2, K-fold validation; Fundamentals, information leaks.
    """
    ### BEGIN SOLUTION
    curves = []
    for train_rows, val_rows in folds:
        train_x, val_x = prepare(x[train_rows], x[val_rows])
        curves.append(
            learning_curve(train_x, targets[train_rows], val_x, targets[val_rows], rng, units, epochs, batch_size)
        )
    return np.array(curves, np.float32)
    ### END SOLUTION


def kfold_scores(x, targets, k, rng, units, epochs, batch_size):
    """K-fold validation: every row is validated once, by a network that has not seen it.

    Parameters
    ----------
    x : float (n, features); rows as they come, not prepared
    targets : float32 (n,)
    k : int; number of folds, 2 <= k <= n
    rng : numpy.random.Generator; draws what learning_curve draws, fold after fold
    units, epochs, batch_size : int, as in train

    Returns
    -------
    float32 (k, epochs): the validation MAE of each fold's network after each epoch

    Approach: the cuts of your kfold_indices, in its order.
    Example: 404 rows, k = 4: four networks, each trained on 303 rows and validated on 101.
    Trap: the lecture joins the rows before and after the fold by np.concatenate. + joins lists; arrays it adds.
    Lecture: Episode 2, K-fold validation.
    """
    ### BEGIN SOLUTION
    return cross_validate(x, targets, kfold_indices(len(x), k), rng, units, epochs, batch_size)
    ### END SOLUTION


def iterated_kfold_scores(x, targets, k, p, rng, units, epochs, batch_size):
    """Iterated K-fold validation: the whole K-fold p times, shuffled anew each time, for very few data.

    Parameters
    ----------
    x : float (n, features); rows as they come, not prepared
    targets : float32 (n,)
    k : int; number of folds, 2 <= k <= n
    p : int; number of repetitions
    rng : numpy.random.Generator; draws all cuts first, then what learning_curve draws, cut after cut
    units, epochs, batch_size : int, as in train

    Returns
    -------
    float32 (p * k, epochs): the validation MAE of each network after each epoch

    Approach: the cuts of your iterated_kfold_indices, in its order.
    Example: k = 4, p = 3 trains twelve networks; their mean is steadier than that of four.
    Trap: it costs p * k trainings: cheap with 404 rows, out of the question with 60,000, where nobody needs it.
    Lecture: Fundamentals, evaluating a model: iterated K-fold validation with shuffling.
    """
    ### BEGIN SOLUTION
    return cross_validate(x, targets, iterated_kfold_indices(len(x), k, p, rng), rng, units, epochs, batch_size)
    ### END SOLUTION


def best_epoch(scores):
    """How many epochs to train the final network: where the mean validation error is lowest.

    Parameters
    ----------
    scores : float32 (networks, epochs), at least one of each; validation MAE after each epoch, from a cross-validation

    Returns
    -------
    int: a number of epochs, counted from 1; the first one where several are equally low

    Approach: the mean over the networks first, then the lowest epoch of that one curve.
    Example: scores = [[3, 1, 2], [3, 4, 2]] has the mean [3, 2.5, 2]: 3 epochs, though 1 is the lowest of all numbers.
    Trap: Python counts from 0, epochs are counted from 1: the entry at index 2 is the network after three passes.
    Lecture: Episode 2, the validation score per epoch: past its lowest point the network overfits.
    """
    ### BEGIN SOLUTION
    return int(np.argmin(scores.mean(axis=0))) + 1
    ### END SOLUTION
