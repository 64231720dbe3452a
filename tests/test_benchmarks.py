"""The benchmarks compare like with like: what they count, whom they hold ours against, what they refuse to time."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from grader import catalogue, kit, levels

sys.path.insert(0, str(kit.ROOT))  # the benchmarks run from the repository, they are not installed

from benchmarks import boston_epoch, convnet_epoch, epoch, mnist_epoch, roofline, text_epoch
from benchmarks.layers import rows
from benchmarks.layers.__main__ import agree, names, selected
from benchmarks.layers.in_numba import prepare
from benchmarks.layers.rows import BOTH, FORWARD, STEP, Row


def row(name: str) -> Row:
    return selected([name])[0]


def test_every_library_draws_the_same_inputs():
    first, again = row("conv2d").inputs(), row("conv2d").inputs()
    assert list(first) == ["x", "kernel", "bias"]
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_the_bytes_are_all_that_goes_in_and_comes_out():
    x, y = (np.empty(rows.MAPS, np.float32) for _ in range(2))
    assert row("relu").bytes(FORWARD, [y]) == 2 * x.nbytes
    assert row("relu").bytes(BOTH, [y, x]) == 4 * x.nbytes, "x and dy go in, y and dx come out"


@pytest.mark.parametrize(("name", "arrays"), [("sgd", 3), ("rmsprop", 5), ("adam", 7)])
def test_a_step_reads_and_writes_its_averages_too(name, arrays):
    w = row(name).inputs()["w"]
    assert row(name).bytes(STEP, [w]) == arrays * w.nbytes


def test_a_backward_pass_of_products_is_two_more_products():
    assert row("dense").work(FORWARD) == 2 * 128 * 784 * 512
    assert row("dense").work(BOTH) == 3 * row("dense").work(FORWARD)


def test_the_share_is_the_larger_of_two_limits():
    half = roofline.PRODUCT_FLOPS // 2
    assert roofline.share(ours=8.0, copy=2.0, product=6.0, flops=0) == 0.25, "the bytes alone"
    assert roofline.share(ours=6.0, copy=2.0, product=6.0, flops=half) == 0.5, "half of the product takes longer"


def test_libraries_that_disagree_are_not_timed():
    ours = [np.arange(5, dtype=np.float32)]
    agree("relu", ours, [np.arange(5, dtype=np.float32).reshape(5, 1)])
    with pytest.raises(AssertionError, match="relu: 20"):
        agree("relu", ours, [np.array([0, 1, 2, 3, 5], np.float32)])
    with pytest.raises(AssertionError):
        agree("relu", ours, [np.array([0, 1, 2, 3, np.nan], np.float32)])


def test_a_name_selects_all_rows_that_begin_with_it():
    assert {one.layer for one in selected(["conv2d"])} == {"conv2d", "conv2d_fused"}
    assert {one.layer for one in selected([])} == set(names())
    assert selected(["nothing"]) == []


def test_every_row_has_our_call_for_every_pass():
    for one in selected([]):
        for which in one.passes:
            call, _ = prepare(one, which)
            assert callable(call), f"{one.layer}, {which}"


# --- epochs -----------------------------------------------------------------------------------------------------------


def test_an_epoch_is_held_against_the_better_keras():
    seconds = {"ours": [2.0, 1.0, 9.0], "Keras fit, a": [8.0], "Keras fit, b": [6.0]}
    peaks = {"ours": 100.0, "Keras fit, a": 500.0, "Keras fit, b": 700.0}
    made = epoch.table("an epoch", epoch.Measured(seconds, peaks, dict.fromkeys(seconds, 0.5)))
    rows = list(zip(*(column.cells for column in made.columns), strict=True))
    assert rows[0] == ("ours", "2.00 s\n1.00 … 9.00", "3.00", "100 MB", "5.0", "0.5000")
    assert [row[2] for row in rows] == ["3.00", "0.75", "1.00"]


def test_the_time_of_a_short_epoch_is_told_in_milliseconds():
    assert epoch.median([0.002, 0.001, 0.004]) == "2.00 ms\n1.00 … 4.00"


def test_every_batch_of_an_order_is_a_step():
    order = np.array([4, 2, 0, 1, 3])
    assert epoch.by_batches(order, 2, lambda batch: float(batch.sum())) == [6.0, 1.0, 3.0]


@pytest.mark.parametrize("benchmark", [boston_epoch, convnet_epoch, mnist_epoch, text_epoch])
def test_both_forms_of_keras_take_part_and_everybody_tells_its_memory(benchmark):
    assert sum(name.startswith(epoch.KERAS) for name in benchmark.CONTESTANTS) == 2
    peak, read = benchmark.FORMS[epoch.PEAK]()
    assert 10 < read(peak()) < 100_000


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--simulate", "--only", "relu"], "There is no row relu"),
        pytest.param(
            [], "--simulate", marks=pytest.mark.skipif(levels.has_device(), reason="needs a machine without a GPU")
        ),
    ],
)
def test_the_cuda_benchmark_refuses_in_a_sentence_what_it_cannot_do(options, told):
    command = [sys.executable, "-m", "benchmarks.cuda", *options]
    done = subprocess.run(command, cwd=kit.ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2, done.stdout + done.stderr
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_cuda_benchmark_finds_every_kernel_right_on_the_simulator():
    command = [sys.executable, "-m", "benchmarks.cuda", "--simulate"]
    done = subprocess.run(command, cwd=kit.ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    right = [line.split()[0] for line in done.stdout.splitlines() if line.split()[1:] == ["right"]]
    assert set(right) == {exercise.name for exercise in catalogue.exercises().values() if exercise.cuda == "kernel"}
    assert "all answers are right" in done.stdout
