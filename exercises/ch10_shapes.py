"""Shapes and parameters: what a network looks like before a single number has been computed.

Two questions can be answered about every layer with pencil and paper, and whoever can answer them reads
`model.summary()` like a sentence. How large is what comes out of it? How many numbers does it have to learn?

A window of width f that walks over n pixels in steps of s, with p pixels of padding on each side, stops at

    floor((n - f + 2p) / s) + 1          places: the first one, and one more for every whole step that still fits.

Without padding ("valid") that is floor((n - f) / s) + 1, which is the same as ceil((n - f + 1) / s): the ceiling goes
around the *whole* quotient. With "same" padding there is just enough of it to make the number of places ceil(n / s),
whatever f is. A convolution has one such plane of places for each of its filters, a pooling layer one for each channel.

The parameters do not depend on the size of the image at all, only on what is connected with what:

    dense                (d_in + 1) * units                       a weight per input and one bias, for each unit
    convolution          (kh * kw * c_in + 1) * filters           the same, for a unit that looks through a window
    batch normalization  4 * c                                    gamma and beta learn, two moving statistics do not
    embedding            vocabulary * d                           a row per word, no bias
    simple RNN           (d_in + units + 1) * units               a unit also looks at the last state
    LSTM                 4 simple RNNs: three gates and the new content
    GRU                  3 of them, with a second bias each in Keras
    pooling, flatten, dropout, activation                         nothing to learn: 0

That is why the last convolution of a network may well cost 36,928 parameters and the dense layer behind it sixteen
million: a filter is shared by all places, a dense layer has a weight for each of them.

A network is written down here as plain data: the shape of one sample, and a tuple of layers. A layer is a pair of its
kind and its settings, called as Keras calls them, for instance

    ("conv2d", {"filters": 32, "kernel_size": (3, 3), "strides": (1, 1), "padding": "valid"})

A shape is always that of one sample. Keras prints (None, 26, 26, 32): the None is the batch, which no parameter knows.
Follows the lecture on convolutional networks (output sizes, padding and strides, the tables of parameters, VGG16) and
"Deep Neural Networks" (layers, types of networks).
"""


def conv_output_size(n, f, p, s):
    """How many places a window finds along one side of an image.

    Parameters
    ----------
    n : int; pixels along the side
    f : int; width of the window, at most n + 2 * p
    p : int; pixels of padding at each of the two ends
    s : int; the stride: how far the window moves from place to place

    Returns
    -------
    int: floor((n - f + 2 * p) / s) + 1

    Approach: the window starts at the first pixel and has n - f + 2 * p pixels left to move. `//` counts how many whole
    steps fit in there; the place where it started counts too.
    Example: n = 7, f = 3, p = 0, s = 2 gives floor(4 / 2) + 1 = 3.
    Trap: padding is added at both ends, hence 2 * p. And a step that does not fit as a whole is not made at all: round
    down. With a ceiling it is ceil((n - f + 2 * p + 1) / s), around the whole quotient and not only around its top.
    Lecture: convolutional networks, padding and strides.
    """
    raise NotImplementedError("conv_output_size")


def same_padding(n, f, s):
    """How many zeros "same" padding puts before and after a side.

    Parameters
    ----------
    n : int; pixels along the side
    f : int; width of the window
    s : int; the stride

    Returns
    -------
    before : int
    after : int; the same, or one more

    Approach: there are to be ceil(n / s) places. The last one begins (places - 1) * s pixels after the first and is f
    wide: what that is longer than n is the padding, and it is never less than 0. Half of it goes before, rounded down.
    Example: n = 5, f = 3, s = 2 has 3 places, the last ends at 2 * 2 + 3 = 7, two more than there are: (1, 1).
    n = 6, f = 3, s = 2 has 3 places too and needs only one: (0, 1).
    Trap: an odd pixel goes after in Keras and TensorFlow. f // 2 on either side is right for stride 1 and odd f only.
    Lecture: convolutional networks, padding.
    """
    raise NotImplementedError("same_padding")


def window_output_size(n, f, s, padding):
    """How many places a window finds along one side, with the two kinds of padding that Keras knows.

    Parameters
    ----------
    n : int; pixels along the side
    f : int; width of the window
    s : int; the stride
    padding : str; "valid": none, the window stays inside; "same": as much as `same_padding` says

    Returns
    -------
    int: floor((n - f) / s) + 1 for "valid", ceil(n / s) for "same"

    Raises
    ------
    ValueError : for any other padding, and for a window that is wider than the side where padding is "valid"

    Approach: "valid" is conv_output_size without padding. For "same", ceil(n / s) in whole numbers is
    (n + s - 1) // s.
    Example: n = 28, f = 3, s = 1 gives 26 places for "valid" and 28 for "same"; with s = 2 it is 13 and 14.
    Trap: "same" keeps the size for stride 1 only. With stride 2 it halves it, and an odd half is rounded up.
    Lecture: convolutional networks, padding and strides.
    """
    raise NotImplementedError("window_output_size")


def conv2d_output_shape(input_shape, kernel_size, filters, strides, padding):
    """The shape of a convolution's output.

    Parameters
    ----------
    input_shape : (h, w, c); one image
    kernel_size : (kh, kw)
    filters : int; how many kernels there are
    strides : (rows, columns)
    padding : str; "valid" or "same"

    Returns
    -------
    (h, w, c): the places of the window down and across, and one channel per filter

    Approach: window_output_size once for the height and once for the width.
    Example: (28, 28, 1) with 32 filters of (3, 3), strides (1, 1) and "valid" gives (26, 26, 32).
    Trap: every filter sees all channels of the input and makes one channel of the output. So the input's channels do
    not appear in the output's shape.
    Lecture: convolutional networks, filters and feature maps.
    """
    raise NotImplementedError("conv2d_output_shape")


def pool2d_output_shape(input_shape, pool_size, strides, padding):
    """The shape of a pooling layer's output.

    Parameters
    ----------
    input_shape : (h, w, c); one image
    pool_size : (ph, pw)
    strides : (rows, columns)
    padding : str; "valid" or "same"

    Returns
    -------
    (h, w, c): the places of the window down and across; the channels stay as they are

    Approach: as for the convolution, but each channel is pooled on its own.
    Example: (11, 11, 64) with pool_size (2, 2), strides (2, 2) and "valid" gives (5, 5, 64).
    Trap: with "valid" the row and the column that are left over are dropped: 11 becomes 5, not 5.5 and not 6.
    Lecture: convolutional networks, pooling.
    """
    raise NotImplementedError("pool2d_output_shape")


def activation_size(shape):
    """How many numbers a layer puts out for one sample.

    Parameters
    ----------
    shape : tuple of int; of one sample, without the batch

    Returns
    -------
    int: the product of all sides; 1 for the empty shape, which is that of a single number

    Approach: multiply, beginning with 1.
    Example: (26, 26, 32) gives 21632. (120,) and (120, 1) both give 120.
    Trap: one slide gives a layer of 120 units the shape (120, 0): that would be no number at all. It is (120, 1), a
    column, or as Keras has it (120,).
    Lecture: convolutional networks, the table of activation shapes and sizes.
    """
    raise NotImplementedError("activation_size")


def flatten_size(shape):
    """How many features Flatten makes of one sample.

    Parameters
    ----------
    shape : tuple of int; of one sample, or as Keras prints it: with None in front, for the batch

    Returns
    -------
    int: the product of the sides, the batch not counted

    Approach: drop a None in front, if there is one; the rest is activation_size.
    Example: (3, 3, 64) and (None, 3, 3, 64) both give 576.
    Trap: the batch is never flattened: every sample keeps a row of its own. But without a None the first side is no
    batch. And it is 3 * 3 * 64 = 576 features that go into the lecture's dense head, not the 3 * 3 * 36 of one slide.
    Lecture: convolutional networks, from feature maps to the classifier.
    """
    raise NotImplementedError("flatten_size")


def dense_params(d_in, units):
    """The parameters of a dense layer.

    Parameters
    ----------
    d_in : int; inputs
    units : int

    Returns
    -------
    int: d_in * units weights and one bias per unit

    Approach: write down the shapes of w and b, and count.
    Example: 784 inputs and 512 units give 784 * 512 + 512 = 401920.
    Trap: a bias belongs to a unit, neither to an input nor to a weight. The layer behind the lecture's convolutions
    without pooling has 22 * 22 * 64 = 30976 inputs and 512 units, so 30976 * 512 + 512 = 15860224 parameters. Two
    slides have it otherwise: 36928 * 512 takes the parameters of the layer before for its outputs, and
    30976 * (512 + 1) gives a bias to every input.
    Lecture: Deep Neural Networks, layers; convolutional networks, why to pool.
    """
    raise NotImplementedError("dense_params")


def conv2d_params(kh, kw, c_in, filters):
    """The parameters of a convolution.

    Parameters
    ----------
    kh : int; rows of a kernel
    kw : int; columns of a kernel
    c_in : int; channels of the input
    filters : int; how many kernels there are

    Returns
    -------
    int: one weight per pixel and channel of the window and one bias, for each filter

    Approach: count one filter with its bias, then multiply.
    Example: 3 * 3 kernels over 32 channels and 64 filters give (3 * 3 * 32 + 1) * 64 = 18496.
    Trap: a filter is as deep as its input: c_in is easily forgotten when the image is grey, where it is 1. The size of
    the image plays no role, as all places share the filter.
    Lecture: convolutional networks, the table of parameters.
    """
    raise NotImplementedError("conv2d_params")


def batchnorm_params(c):
    """All parameters of a batch normalization, as Keras's summary counts them.

    Parameters
    ----------
    c : int; channels, or features: the size of the last axis

    Returns
    -------
    int: gamma, beta, moving mean and moving variance, one each per channel

    Approach: count the four vectors.
    Example: 64 channels give 256; `batchnorm_trainable_params` says that 128 of them learn.
    Trap: the moving statistics are stored with the weights, but no gradient ever changes them: they count as
    parameters, not as trainable ones.
    Lecture: Deep Neural Networks, batch normalization.
    """
    raise NotImplementedError("batchnorm_params")


def batchnorm_trainable_params(c):
    """Those parameters of a batch normalization that gradients change. Given, not asked.

    Parameters
    ----------
    c : int; channels, or features: the size of the last axis

    Returns
    -------
    int: gamma and beta, one each per channel

    Example: 64 channels give 128.
    """
    return 2 * c


def embedding_params(vocabulary, d):
    """The parameters of an embedding: a table with one row per word.

    Parameters
    ----------
    vocabulary : int; how many different words there are
    d : int; how many numbers stand for a word

    Returns
    -------
    int: vocabulary * d

    Approach: it is a matrix from which rows are read.
    Example: 10000 words of 16 numbers give 160000.
    Trap: there is no bias. An embedding is a lookup, and how long the texts are does not matter.
    Lecture: Deep Neural Networks, types of networks; texts as numbers.
    """
    raise NotImplementedError("embedding_params")


def simple_rnn_params(d_in, units):
    """The parameters of a simple recurrent layer: tanh(x @ w + state @ u + b).

    Parameters
    ----------
    d_in : int; features of each time step
    units : int; also the size of the state

    Returns
    -------
    int: w (d_in, units), u (units, units) and b (units,)

    Approach: count the three.
    Example: 32 features and 16 units give 32 * 16 + 16 * 16 + 16 = 784.
    Trap: every unit looks at the whole last state, so u is a matrix. How many time steps there are does not matter: all
    of them use the same weights.
    Lecture: Deep Neural Networks, types of networks.
    """
    raise NotImplementedError("simple_rnn_params")


def lstm_params(d_in, units):
    """The parameters of an LSTM: input gate, forget gate, output gate and the new content of the cell.

    Parameters
    ----------
    d_in : int; features of each time step
    units : int; also the size of the state and of the cell

    Returns
    -------
    int: four times those of a simple RNN

    Approach: each of the four looks at the input and at the last state, and has its bias: simple_rnn_params.
    Example: 32 features and 16 units give 4 * 784 = 3136.
    Trap: the new content, a tanh, is no gate, but it has its weights too: four, not three.
    Lecture: Deep Neural Networks, types of networks.
    """
    raise NotImplementedError("lstm_params")


def gru_params(d_in, units):
    """The parameters of a GRU as Keras makes it (reset_after=True): update gate, reset gate and the new content.

    Parameters
    ----------
    d_in : int; features of each time step
    units : int; also the size of the state

    Returns
    -------
    int: 3 * (d_in * units + units * units + 2 * units)

    Approach: three times a simple RNN that has one more bias.
    Example: 32 features and 16 units give 3 * (784 + 16) = 2400.
    Trap: Keras applies the reset gate after the product with the state, and that product has a bias of its own. The
    formula of the books has one bias only and gives 2352.
    Lecture: Deep Neural Networks, types of networks.
    """
    raise NotImplementedError("gru_params")


def layer_output_shape(input_shape, layer):
    """The shape that a layer makes of its input's shape.

    Parameters
    ----------
    input_shape : tuple of int; of one sample
    layer : (kind, settings); settings is a dict, called as in Keras. A setting in brackets may be missing, and then has
        the value given here; other settings, such as an activation, change no shape

        "conv2d"                    filters, kernel_size, [strides (1, 1)], [padding "valid"]
        "max_pooling2d"             pool_size, [strides: as pool_size], [padding "valid"]
        "average_pooling2d"         the same
        "global_average_pooling2d"  one number per channel: (h, w, c) becomes (c,)
        "flatten"                   (h, w, c) becomes (h * w * c,)
        "dense"                     units; replaces the last side, whatever is in front of it stays
        "embedding"                 input_dim, output_dim; (steps,) becomes (steps, output_dim)
        "simple_rnn", "lstm", "gru" units, [return_sequences False]; (steps, d) becomes (units,), or (steps, units)
                                    where the whole sequence is returned
        "batch_normalization", "dropout", "activation"   leave the shape as it is

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError : for any other kind

    Approach: one `if` per kind, and your functions from above. `settings.get("padding", "valid")` gives a setting or
    its default.
    Example: (11, 11, 64) and ("max_pooling2d", {"pool_size": (2, 2)}) give (5, 5, 64).
    Trap: a tuple of one side is written with a comma: (576,). And where pooling has no strides, its windows lie side by
    side: the stride is the pool_size, not 1.
    Lecture: convolutional networks, the table of activation shapes.
    """
    raise NotImplementedError("layer_output_shape")


def layer_params(input_shape, layer):
    """How many parameters a layer has.

    Parameters
    ----------
    input_shape : tuple of int; of one sample, as it goes into the layer
    layer : (kind, settings); the kinds and settings of layer_output_shape

    Returns
    -------
    int: 0 for pooling, flatten, dropout and activation, which have nothing to learn

    Approach: one `if` per kind that has parameters, and your functions from above. What goes in is counted by the last
    side of input_shape: channels for a convolution, features for a dense layer.
    Example: (13, 13, 32) and ("conv2d", {"filters": 64, "kernel_size": (3, 3)}) give 18496.
    Trap: nothing is counted per place or per time step. A dense layer over a sequence (steps, d) has d inputs, as it
    treats each step the same way.
    Lecture: convolutional networks, the table of parameters.
    """
    raise NotImplementedError("layer_params")


def layer_names(layers):
    """One name per layer, numbered as Keras numbers them. Given, not asked.

    Parameters
    ----------
    layers : tuple of (kind, settings)

    Returns
    -------
    list of str

    Example: a conv2d, a flatten and a second conv2d are called "conv2d", "flatten" and "conv2d_1".
    """
    kinds = [kind for kind, _ in layers]
    earlier = [kinds[:i].count(kind) for i, kind in enumerate(kinds)]
    return [f"{kind}_{number}" if number else kind for kind, number in zip(kinds, earlier, strict=True)]


def network_summary(input_shape, layers):
    """The table that `model.summary()` prints: what every layer puts out, and what it has to learn.

    Parameters
    ----------
    input_shape : tuple of int; of one sample
    layers : tuple of (kind, settings), as in layer_output_shape. A layer with the setting "trainable": False is frozen

    Returns
    -------
    rows : list of (name, activation shape, activation size, parameters): first ("input", input_shape, its size, 0),
        then one row per layer, called as in layer_names
    total : int; all parameters
    trainable : int; without those of frozen layers, and without the moving statistics of a batch normalization

    Approach: carry the shape from layer to layer. Its parameters are counted with the shape that goes in, its row tells
    the shape that comes out.
    Example: (4,) and (("dense", {"units": 3}), ("dense", {"units": 2, "trainable": False})) give the rows
    ("input", (4,), 4, 0), ("dense", (3,), 3, 15), ("dense_1", (2,), 2, 8), total 23, trainable 15.
    Trap: freezing a layer does not make it smaller: it still counts in the total.
    Lecture: convolutional networks, the tables; feature extraction with a frozen base.
    """
    raise NotImplementedError("network_summary")


def format_summary(rows, total, trainable):
    """A network's summary as text to print. Given, not asked.

    Parameters
    ----------
    rows, total, trainable : what network_summary returns

    Returns
    -------
    str: a line of headings, one line per row, one line with the totals

    Example: print(format_summary(*network_summary(*classic_network("mnist_dense"))))
    """
    lines = [f"{'layer':<28}{'activation shape':<18}{'size':>12}{'parameters':>14}"]
    lines += [f"{name:<28}{shape!s:<18}{size:>12,}{params:>14,}" for name, shape, size, params in rows]
    return "\n".join([*lines, f"{total:,} parameters, {trainable:,} of them trainable"])


def conv_layer(filters, side, padding="valid"):
    """A convolution with square kernels, as a layer of a network. Given, not asked."""
    return ("conv2d", {"filters": filters, "kernel_size": (side, side), "padding": padding})


def pool_layer():
    """Max-pooling that halves both sides, as a layer of a network. Given, not asked."""
    return ("max_pooling2d", {"pool_size": (2, 2)})


def flatten_layer():
    """Flatten, as a layer of a network. Given, not asked."""
    return ("flatten", {})


def dense_layer(units):
    """A dense layer, as a layer of a network. Given, not asked."""
    return ("dense", {"units": units})


def classic_network(name):
    """The networks of the lectures, written down as data.

    Parameters
    ----------
    name : str, one of

        "mnist_dense"                     28 * 28 pixels in a row; dense 512, 10
        "imdb"                            10000 words, multi-hot; dense 16, 16, 1
        "reuters"                         10000 words, multi-hot; dense 64, 64, 46
        "boston"                          13 features; dense 64, 64, 1
        "mnist_convnet_without_pooling"   28 * 28 * 1; three convolutions 3 * 3 with 32, 64 and 64 filters, no head
        "mnist_convnet"                   the same with pooling after the first and after the second of them, then
                                          flatten, dense 64, 10
        "lenet_table"                     28 * 28 * 1; convolution 3 * 3 with 8 filters, padding "same", pooling;
                                          convolution 5 * 5 with 16 filters, pooling; flatten; dense 120, 84, 10
        "exercise_32x32x3"                32 * 32 * 3; the same, but the first convolution is 5 * 5 and "valid"
        "vgg16_base"                      150 * 150 * 3; five blocks of convolutions 3 * 3, padding "same", each block
                                          ended by pooling: 2 with 64 filters, 2 with 128, 3 with 256, 3 with 512 and 3
                                          with 512
        "vgg16_with_head"                 that base, then flatten, dense 256, 1
        "vgg16_with_head_frozen"          the same; every layer of the base, pooling too, has "trainable": False
        "vgg16"                           224 * 224 * 3; the five blocks, then flatten, dense 4096, 4096, 1000

    Returns
    -------
    input_shape : tuple of int; of one sample
    layers : tuple of (kind, settings), in order, for network_summary

    All pooling is max-pooling 2 * 2; strides are the default. Activations have neither shape nor parameters of their
    own and are left out.

    Raises
    ------
    ValueError : for any other name

    Approach: conv_layer, pool_layer, flatten_layer and dense_layer make the layers; build VGG16's blocks in a loop.
    Example: "boston" gives ((13,), (dense_layer(64), dense_layer(64), dense_layer(1))), 5121 parameters.
    Trap: the input shape is that of one sample: Boston's is (13,), not (404, 13). Check yourself with network_summary:
    mnist_dense 407050, imdb 160305, reuters 647214, mnist_convnet_without_pooling 55744, mnist_convnet 93322,
    lenet_table 62430, exercise_32x32x3 62958, vgg16_base 14714688, with its head 16812353, of which 2097665 are
    trainable where the base is frozen, vgg16 138357544.
    Lecture: the networks for MNIST, IMDB, Reuters and Boston; convolutional networks, the tables and VGG16.
    """
    raise NotImplementedError("classic_network")
