"""Shapes and parameters: the lectures' tables, and Keras's own counts for every network that can be written down."""

from __future__ import annotations

import functools
import math
import re

import pytest
from build import judge_one, submission
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.chapters import ch10_shapes as examiner
from grader.exercise import Case
from grader.keras_twin import Keras
from solutions import ch10_shapes as chapter

PARAMETERS = {
    "mnist_dense": 407_050,
    "imdb": 160_305,
    "reuters": 647_214,
    "boston": 5_121,
    "mnist_convnet_without_pooling": 55_744,
    "mnist_convnet": 93_322,
    "lenet_table": 62_430,
    "exercise_32x32x3": 62_958,
    "vgg16_base": 14_714_688,
    "vgg16_with_head": 16_812_353,
    "vgg16_with_head_frozen": 16_812_353,
    "vgg16": 138_357_544,
}
TRAINABLE = PARAMETERS | {"vgg16_with_head_frozen": 2_097_665}


@functools.cache
def keras() -> Keras:
    pytest.importorskip("keras", reason="needs Keras: pip install 'deepkata[keras]'")
    pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install 'deepkata[keras]'")
    return Keras()


def summary_in_keras(input_shape, layers):
    case = Case("a network", input_shape=input_shape, layers=layers)
    rows, total, trainable = keras().answer(examiner.network_summary, case)
    return list(rows), total, trainable


# --- the lectures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_classic_network_has_the_lectures_number_of_parameters(name):
    rows, total, trainable = chapter.network_summary(*chapter.classic_network(name))
    assert (total, trainable) == (PARAMETERS[name], TRAINABLE[name])
    assert total == sum(params for *_, params in rows)


TABLES = {
    "mnist_dense": """\
layer                       activation shape          size    parameters
input                       (784,)                     784             0
dense                       (512,)                     512       401,920
dense_1                     (10,)                       10         5,130
407,050 parameters, 407,050 of them trainable""",
    "imdb": """\
layer                       activation shape          size    parameters
input                       (10000,)                10,000             0
dense                       (16,)                       16       160,016
dense_1                     (16,)                       16           272
dense_2                     (1,)                         1            17
160,305 parameters, 160,305 of them trainable""",
    "reuters": """\
layer                       activation shape          size    parameters
input                       (10000,)                10,000             0
dense                       (64,)                       64       640,064
dense_1                     (64,)                       64         4,160
dense_2                     (46,)                       46         2,990
647,214 parameters, 647,214 of them trainable""",
    "boston": """\
layer                       activation shape          size    parameters
input                       (13,)                       13             0
dense                       (64,)                       64           896
dense_1                     (64,)                       64         4,160
dense_2                     (1,)                         1            65
5,121 parameters, 5,121 of them trainable""",
    "mnist_convnet_without_pooling": """\
layer                       activation shape          size    parameters
input                       (28, 28, 1)                784             0
conv2d                      (26, 26, 32)            21,632           320
conv2d_1                    (24, 24, 64)            36,864        18,496
conv2d_2                    (22, 22, 64)            30,976        36,928
55,744 parameters, 55,744 of them trainable""",
    "mnist_convnet": """\
layer                       activation shape          size    parameters
input                       (28, 28, 1)                784             0
conv2d                      (26, 26, 32)            21,632           320
max_pooling2d               (13, 13, 32)             5,408             0
conv2d_1                    (11, 11, 64)             7,744        18,496
max_pooling2d_1             (5, 5, 64)               1,600             0
conv2d_2                    (3, 3, 64)                 576        36,928
flatten                     (576,)                     576             0
dense                       (64,)                       64        36,928
dense_1                     (10,)                       10           650
93,322 parameters, 93,322 of them trainable""",
    "lenet_table": """\
layer                       activation shape          size    parameters
input                       (28, 28, 1)                784             0
conv2d                      (28, 28, 8)              6,272            80
max_pooling2d               (14, 14, 8)              1,568             0
conv2d_1                    (10, 10, 16)             1,600         3,216
max_pooling2d_1             (5, 5, 16)                 400             0
flatten                     (400,)                     400             0
dense                       (120,)                     120        48,120
dense_1                     (84,)                       84        10,164
dense_2                     (10,)                       10           850
62,430 parameters, 62,430 of them trainable""",
    "exercise_32x32x3": """\
layer                       activation shape          size    parameters
input                       (32, 32, 3)              3,072             0
conv2d                      (28, 28, 8)              6,272           608
max_pooling2d               (14, 14, 8)              1,568             0
conv2d_1                    (10, 10, 16)             1,600         3,216
max_pooling2d_1             (5, 5, 16)                 400             0
flatten                     (400,)                     400             0
dense                       (120,)                     120        48,120
dense_1                     (84,)                       84        10,164
dense_2                     (10,)                       10           850
62,958 parameters, 62,958 of them trainable""",
    "vgg16_with_head_frozen": """\
layer                       activation shape          size    parameters
input                       (150, 150, 3)           67,500             0
conv2d                      (150, 150, 64)       1,440,000         1,792
conv2d_1                    (150, 150, 64)       1,440,000        36,928
max_pooling2d               (75, 75, 64)           360,000             0
conv2d_2                    (75, 75, 128)          720,000        73,856
conv2d_3                    (75, 75, 128)          720,000       147,584
max_pooling2d_1             (37, 37, 128)          175,232             0
conv2d_4                    (37, 37, 256)          350,464       295,168
conv2d_5                    (37, 37, 256)          350,464       590,080
conv2d_6                    (37, 37, 256)          350,464       590,080
max_pooling2d_2             (18, 18, 256)           82,944             0
conv2d_7                    (18, 18, 512)          165,888     1,180,160
conv2d_8                    (18, 18, 512)          165,888     2,359,808
conv2d_9                    (18, 18, 512)          165,888     2,359,808
max_pooling2d_3             (9, 9, 512)             41,472             0
conv2d_10                   (9, 9, 512)             41,472     2,359,808
conv2d_11                   (9, 9, 512)             41,472     2,359,808
conv2d_12                   (9, 9, 512)             41,472     2,359,808
max_pooling2d_4             (4, 4, 512)              8,192             0
flatten                     (8192,)                  8,192             0
dense                       (256,)                     256     2,097,408
dense_1                     (1,)                         1           257
16,812,353 parameters, 2,097,665 of them trainable""",
}


def table_of(name):
    return chapter.format_summary(*chapter.network_summary(*chapter.classic_network(name)))


@pytest.mark.parametrize("name", TABLES)
def test_the_summary_reads_like_the_lectures_table(name):
    assert table_of(name) == TABLES[name]


def test_vgg16s_base_is_the_top_of_its_table_with_a_head_and_freezing_changes_the_last_line_only():
    *rows, _ = TABLES["vgg16_with_head_frozen"].splitlines()
    base = [*rows[:-3], "14,714,688 parameters, 14,714,688 of them trainable"]
    assert table_of("vgg16_base").splitlines() == base
    free = [*rows, "16,812,353 parameters, 16,812,353 of them trainable"]
    assert table_of("vgg16_with_head").splitlines() == free


def test_without_pooling_the_first_dense_layer_has_sixteen_million_parameters():
    input_shape, convolutions = chapter.classic_network("mnist_convnet_without_pooling")
    layers = (*convolutions, chapter.flatten_layer(), chapter.dense_layer(512))
    rows, total, _ = chapter.network_summary(input_shape, layers)
    assert rows[-2:] == [("flatten", (30_976,), 30_976, 0), ("dense", (512,), 512, 15_860_224)]
    assert total == 15_915_968


def test_freezing_the_base_leaves_the_head_to_train_and_the_total_as_it_was():
    free = chapter.network_summary(*chapter.classic_network("vgg16_with_head"))
    frozen = chapter.network_summary(*chapter.classic_network("vgg16_with_head_frozen"))
    base = chapter.network_summary(*chapter.classic_network("vgg16_base"))
    assert frozen[:2] == free[:2]
    assert frozen[2] == free[1] - base[1]


def test_two_calls_share_no_settings():
    first, second = (chapter.classic_network("vgg16_base")[1] for _ in range(2))
    first[0][1]["trainable"] = False
    assert "trainable" not in second[0][1]


SLIPS = {
    "the ceiling around a part of the quotient": (
        "conv_output_size",
        "def conv_output_size(n, f, p, s):\n    return math.ceil(n - f + 2 * p + 1) / s",
        "rounds_before_dividing",
    ),
    "(120, 0)": (
        "activation_size",
        "def activation_size(shape):\n    return math.prod((*shape, 0) if len(shape) == 1 else shape)",
        "writes_the_column_as_zero",
    ),
    "30,976 * (512 + 1)": (
        "dense_params",
        "def dense_params(d_in, units):\n    return d_in * (units + 1)",
        "counts_a_bias_per_input",
    ),
    "36928 * 512": (
        "dense_params",
        "def dense_params(d_in, units):\n    return (36928 * 512 if d_in == 30976 else d_in * units + units)",
        "believes_the_other_slide",
    ),
    "3 * 3 * 36": (
        "flatten_size",
        "def flatten_size(shape):\n"
        "    shape = shape[1:] if shape[:1] == (None,) else shape\n"
        "    return 324 if shape == (3, 3, 64) else math.prod(shape)",
        "believes_the_slide",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_of_the_slides_is_named(slip):
    name, source, mistake = SLIPS[slip]
    result = judge_one(submission(ch10_shapes={name: source}), f"ch10_shapes.{name}")
    assert (result.status, result.mistake) == ("failed", mistake)


# --- Keras ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_classic_network_looks_in_keras_as_its_summary_says(name):
    network = chapter.classic_network(name)
    assert chapter.network_summary(*network) == summary_in_keras(*network)


def test_the_base_of_vgg16_is_the_one_that_keras_ships():
    input_shape, layers = chapter.classic_network("vgg16_base")
    shipped = keras().module.applications.VGG16(weights=None, include_top=False, input_shape=input_shape)
    theirs = [(tuple(layer.output.shape[1:]), layer.count_params()) for layer in shipped.layers]
    rows, total, _ = chapter.network_summary(input_shape, layers)
    assert [(shape, params) for _, shape, _, params in rows] == theirs
    assert total == shipped.count_params()


def test_the_lectures_frozen_base_with_its_head_has_as_many_parameters_in_keras():
    """The lecture freezes the base as a whole, as one layer of the new network."""
    k = keras()
    base = k.module.applications.VGG16(weights=None, include_top=False, input_shape=(150, 150, 3))
    head = [k.layers.Flatten(), k.layers.Dense(256), k.layers.Dense(1)]
    model = k.module.Sequential([k.module.Input((150, 150, 3)), base, *head])
    for name, base.trainable in (("vgg16_with_head", True), ("vgg16_with_head_frozen", False)):
        _, total, trainable = chapter.network_summary(*chapter.classic_network(name))
        learning = sum(math.prod(weight.shape) for weight in model.trainable_weights)
        assert (total, trainable) == (model.count_params(), learning)


sides = st.integers(1, 4)
pairs = st.tuples(sides, sides)
paddings = st.sampled_from(["valid", "same"])


@st.composite
def networks(draw):
    """Layers that fit one another, from an image, a sequence, a text or a vector on; any of them may be frozen."""
    start = draw(st.sampled_from(["image", "sequence", "text", "vector"]))
    if start == "image":
        shape = draw(st.tuples(st.integers(4, 20), st.integers(4, 20), sides))
    elif start == "sequence":
        shape = draw(st.tuples(st.integers(1, 9), sides))
    else:
        shape = (draw(st.integers(1, 9)),)
    input_shape, layers = shape, []
    if start == "text":
        layers.append(("embedding", {"input_dim": draw(st.integers(1, 30)), "output_dim": draw(sides)}))
        shape = chapter.layer_output_shape(shape, layers[-1])
    for _ in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(FITTING[len(shape)]))
        settings = {name: draw(values) for name, values in SETTINGS.get(kind, {}).items()}
        settings |= {name: draw(values) for name, values in OPTIONAL.get(kind, {}).items() if draw(st.booleans())}
        if draw(st.booleans()):
            settings["trainable"] = draw(st.booleans())
        window = settings.get("kernel_size") or settings.get("pool_size") or (1, 1)
        if window[0] > shape[0] or (len(shape) > 1 and window[1] > shape[1]):
            settings["padding"] = "same"
        layers.append((kind, settings))
        shape = chapter.layer_output_shape(shape, layers[-1])
    return input_shape, tuple(layers)


ANYWHERE = ("dense", "flatten", "batch_normalization", "dropout", "activation")
FITTING = {
    1: ANYWHERE,
    2: (*ANYWHERE, "simple_rnn", "lstm", "gru"),
    3: (*ANYWHERE, "conv2d", "max_pooling2d", "average_pooling2d", "global_average_pooling2d"),
}
SETTINGS = {
    "dense": {"units": sides},
    "dropout": {"rate": st.sampled_from([0.0, 0.2, 0.5])},
    "activation": {"activation": st.sampled_from(["relu", "sigmoid"])},
    "simple_rnn": {"units": sides},
    "lstm": {"units": sides},
    "gru": {"units": sides},
    "conv2d": {"filters": sides, "kernel_size": pairs},
    "max_pooling2d": {"pool_size": pairs},
    "average_pooling2d": {"pool_size": pairs},
}
RECURRENT = {"return_sequences": st.booleans()}
POOLING = {"strides": pairs, "padding": paddings}
OPTIONAL = {
    "simple_rnn": RECURRENT,
    "lstm": RECURRENT,
    "gru": RECURRENT,
    "conv2d": {"strides": pairs, "padding": paddings, "activation": st.just("relu")},
    "max_pooling2d": POOLING,
    "average_pooling2d": POOLING,
}


@settings(deadline=None, max_examples=60)
@given(network=networks())
def test_any_network_looks_in_keras_as_its_summary_says(network):
    assert chapter.network_summary(*network) == summary_in_keras(*network)


def model_of(input_shape, layers):
    """The network as one Keras model, each layer called on the one before."""
    native = [examiner.in_keras(keras(), layer) for layer in layers]
    return keras().module.Sequential([keras().module.Input(input_shape), *native])


def assert_same_model(network):
    model = model_of(*network)
    rows, total, trainable = chapter.network_summary(*network)
    assert [shape for _, shape, _, _ in rows[1:]] == [layer.output.shape[1:] for layer in model.layers]
    assert [params for *_, params in rows[1:]] == [layer.count_params() for layer in model.layers]
    assert total == model.count_params()
    assert trainable == sum(math.prod(weight.shape) for weight in model.trainable_weights)


@settings(deadline=None, max_examples=30)
@given(network=networks().filter(lambda network: network[1]))  # Keras has no model without layers
def test_any_network_is_a_whole_model_in_keras_with_the_same_shapes_and_parameters(network):
    assert_same_model(network)


@pytest.mark.parametrize("name", TABLES)
def test_a_lectures_network_is_a_whole_model_in_keras_with_the_same_shapes_and_parameters(name):
    assert_same_model(chapter.classic_network(name))


@pytest.mark.parametrize("name", TABLES)
def test_the_table_ends_as_keras_own_summary_does(name):
    printed = []
    model_of(*chapter.classic_network(name)).summary(print_fn=printed.append)
    total, trainable = (re.search(rf"{kind} params: ([\d,]+)", "".join(printed))[1] for kind in ("Total", "Trainable"))
    assert TABLES[name].splitlines()[-1] == f"{total} parameters, {trainable} of them trainable"


@settings(deadline=None, max_examples=40)
@given(n=st.integers(1, 25), f=st.integers(1, 9), s=st.integers(1, 7))
def test_same_padding_is_where_keras_puts_it(n, f, s):
    case = Case("a window", n=n, f=f, s=s)
    assert chapter.same_padding(n, f, s) == keras().answer(examiner.same_padding, case)


# --- laws -----------------------------------------------------------------------------------------------------------

positive = st.integers(1, 300)


@given(n=positive, f=positive, p=st.integers(0, 20), s=st.integers(1, 40))
def test_the_formula_counts_the_places_that_a_window_really_finds(n, f, p, s):
    f = min(f, n + 2 * p)
    places = len([start for start in range(0, n + 2 * p, s) if start + f <= n + 2 * p])
    assert chapter.conv_output_size(n, f, p, s) == places
    assert places == math.ceil((n - f + 2 * p + 1) / s)  # the slide's formula, with its brackets in place


@given(n=positive, f=positive, s=st.integers(1, 40))
def test_same_padding_makes_room_for_all_places_and_no_more(n, f, s):
    before, after = chapter.same_padding(n, f, s)
    places = chapter.window_output_size(n, f, s, "same")
    assert 0 <= before <= after <= before + 1
    assert places == math.ceil(n / s)
    if before + after:
        assert (places - 1) * s + f == before + n + after
    else:
        assert (places - 1) * s + f <= n


@given(side=st.integers(3, 40), channels=sides, filters=sides)
def test_the_parameters_of_a_convolution_do_not_depend_on_the_image(side, channels, filters):
    layer = chapter.conv_layer(filters, 3)
    assert chapter.layer_params((side, side + 1, channels), layer) == chapter.layer_params((3, 3, channels), layer)


@given(network=networks())
def test_flatten_loses_no_activation(network):
    rows, _, _ = chapter.network_summary(*network)
    for _, shape, size, _ in rows:
        assert chapter.flatten_size(shape) == chapter.flatten_size((None, *shape)) == size == math.prod(shape)


@given(network=networks())
def test_frozen_as_a_whole_nothing_is_left_to_train(network):
    input_shape, layers = network
    frozen = tuple((kind, {**settings, "trainable": False}) for kind, settings in layers)
    rows, total, trainable = chapter.network_summary(input_shape, frozen)
    assert trainable == 0
    assert (rows, total) == chapter.network_summary(input_shape, layers)[:2]


# --- what cannot be -------------------------------------------------------------------------------------------------


def test_a_window_that_does_not_fit_is_refused_as_in_keras():
    with pytest.raises(ValueError, match="a window of 5 does not fit into 4"):
        chapter.window_output_size(4, 5, 1, "valid")
    with pytest.raises(ValueError):  # noqa: PT011 (Keras's words are its own)
        keras().layers.Conv2D(1, (5, 5)).compute_output_shape((None, 4, 4, 1))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: chapter.window_output_size(9, 3, 1, "full"), "the padding 'full'"),
        (lambda: chapter.layer_output_shape((9,), ("transformer", {})), "unknown layer 'transformer'"),
        (lambda: chapter.network_summary((9,), (("transformer", {}),)), "unknown layer 'transformer'"),
        (lambda: chapter.classic_network("resnet"), "unknown network 'resnet': use one of mnist_dense, imdb"),
    ],
)
def test_what_the_chapter_does_not_know_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()
