"""Authors who solve the same exercises each in their own way, and one who copies: for the tests of likeness.

Every function is a row of steps, every step has some ways to be written. Independent authors choose independently, and
so agree in places, as students do. A copyist takes another's module and disguises it.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Mapping, Sequence

# Function -> its head and its steps; each step is a choice of texts.
FUNCTIONS: Mapping[str, tuple[str, Sequence[Sequence[str]]]] = {
    "matmul": (
        "def matmul(a, b):",
        (
            (
                "rows, inner = a.shape\ncolumns = b.shape[1]",
                "rows = a.shape[0]\ncolumns = b.shape[1]\ninner = a.shape[1]",
                "rows = len(a)\ninner = len(b)\ncolumns = b[0].size",
                "(rows, inner), columns = a.shape, b.shape[-1]",
            ),
            (
                "if inner != b.shape[0]:\n    raise ValueError(inner)",
                "assert a.shape[1] == b.shape[0]",
                "if a.ndim < 2 or b.ndim < 2:\n    return a * b",
                "a = np.ascontiguousarray(a)\nb = np.ascontiguousarray(b)",
            ),
            (
                "out = np.zeros((rows, columns), a.dtype)",
                "out = np.empty((rows, columns), dtype=np.float32)\nout[:] = 0",
                "out = np.zeros_like(a, shape=(rows, columns))",
            ),
            (
                "for i in range(rows):\n    for j in range(columns):\n        total = 0.0\n"
                "        for k in range(inner):\n            total += a[i, k] * b[k, j]\n        out[i, j] = total",
                "for i in range(rows):\n    for k in range(inner):\n        left = a[i, k]\n"
                "        for j in range(columns):\n            out[i, j] += left * b[k, j]",
                "for index in range(rows * columns):\n    i = index // columns\n    j = index % columns\n"
                "    for k in range(inner):\n        out[i, j] = out[i, j] + a[i, k] * b[k, j]",
                "k = 0\nwhile k < inner:\n    for i in range(rows):\n        out[i] += a[i, k] * b[k]\n    k += 1",
            ),
            ("return out", "return out.astype(np.float32)", "return np.asarray(out)"),
        ),
    ),
    "softmax": (
        "def softmax(x):",
        (
            ("y = np.empty_like(x)", "y = x.copy()", "y = np.zeros(x.shape, x.dtype)"),
            (
                "for i in range(x.shape[0]):\n    top = x[i].max()\n    y[i] = np.exp(x[i] - top)\n"
                "    y[i] /= y[i].sum()",
                "top = np.max(x, axis=1)\nfor i in range(len(x)):\n    row = np.exp(x[i] - top[i])\n"
                "    y[i] = row / np.sum(row)",
                "for i, row in enumerate(x):\n    top = row[0]\n    for value in row:\n        if value > top:\n"
                "            top = value\n    total = 0.0\n    for j in range(row.size):\n"
                "        y[i, j] = math.exp(row[j] - top)\n        total += y[i, j]\n    y[i] = y[i] / total",
                "shifted = x - x.max(axis=-1).reshape(-1, 1)\nexps = np.exp(shifted)\n"
                "y[...] = exps / exps.sum(axis=-1, keepdims=True)",
            ),
            ("return y", "return y.astype(x.dtype)", "assert y.shape == x.shape\nreturn y"),
        ),
    ),
    "maxpool": (
        "def maxpool(x, size):",
        (
            (
                "height = x.shape[0] // size\nwidth = x.shape[1] // size",
                "height, width = x.shape[0] // size, x.shape[1] // size",
                "h, w = x.shape\nheight = int(h / size)\nwidth = int(w / size)",
            ),
            (
                "out = np.full((height, width), -np.inf)",
                "out = np.empty((height, width), x.dtype)",
                "out = np.zeros((height, width))\nout -= 1e30",
            ),
            (
                "for i in range(height):\n    for j in range(width):\n        best = x[i * size, j * size]\n"
                "        for u in range(size):\n            for v in range(size):\n"
                "                best = max(best, x[i * size + u, j * size + v])\n        out[i, j] = best",
                "for i in range(height):\n    for j in range(width):\n"
                "        window = x[i * size:(i + 1) * size, j * size:(j + 1) * size]\n"
                "        out[i, j] = window.max()",
                "for row in range(height * size):\n    for column in range(width * size):\n"
                "        i, j = row // size, column // size\n        if x[row, column] > out[i, j]:\n"
                "            out[i, j] = x[row, column]",
                "top = 0\nfor i in range(height):\n    left = 0\n    for j in range(width):\n"
                "        out[i, j] = np.max(x[top:top + size, left:left + size])\n        left += size\n"
                "    top += size",
            ),
            ("return out", "return out.astype(x.dtype)"),
        ),
    ),
    "confusion": (
        "def confusion(true, guessed, classes):",
        (
            (
                "table = np.zeros((classes, classes), np.int64)",
                "table = np.zeros(classes * classes, dtype=int)\ntable = table.reshape(classes, classes)",
                "table = np.array([[0] * classes for _ in range(classes)])",
            ),
            (
                "if len(true) != len(guessed):\n    raise ValueError('lengths')",
                "count = min(len(true), len(guessed))\ntrue = true[:count]\nguessed = guessed[:count]",
                "true = np.asarray(true).ravel()\nguessed = np.asarray(guessed).ravel()",
            ),
            (
                "for i in range(len(true)):\n    table[true[i], guessed[i]] += 1",
                "for row, column in zip(true, guessed):\n    table[row][column] = table[row][column] + 1",
                "for row in range(classes):\n    for column in range(classes):\n"
                "        table[row, column] = np.sum((true == row) & (guessed == column))",
                "np.add.at(table, (true, guessed), 1)",
                "i = 0\nwhile i < true.size:\n    row = int(true[i])\n"
                "    table[row, int(guessed[i])] += 1\n    i = i + 1",
            ),
            ("return table", "return np.ascontiguousarray(table)", "return table.astype(np.int64)"),
        ),
    ),
    "folds": (
        "def folds(x, k):",
        (
            (
                "size = len(x) // k",
                "size = x.shape[0] // k\nassert size > 0",
                "size, left = divmod(len(x), k)",
                "size = int(np.floor(x.shape[0] / k))",
            ),
            (
                "result = []\nfor i in range(k):\n    held = x[i * size:(i + 1) * size]\n"
                "    rest = np.concatenate([x[:i * size], x[(i + 1) * size:]])\n    result.append((rest, held))",
                "result = [None] * k\nfor i in range(k):\n    start = i * size\n    stop = start + size\n"
                "    mask = np.ones(len(x), bool)\n    mask[start:stop] = False\n    result[i] = (x[mask], x[~mask])",
                "parts = [x[i * size:(i + 1) * size] for i in range(k)]\nresult = []\n"
                "for i, held in enumerate(parts):\n"
                "    others = parts[:i] + parts[i + 1:]\n    result.append((np.vstack(others), held))",
                "result = ()\nstart = 0\nwhile start + size <= len(x):\n    held = x[start:start + size]\n"
                "    rest = np.delete(x, np.arange(start, start + size), axis=0)\n"
                "    result += ((rest, held),)\n    start += size",
            ),
            ("return result", "return list(result)", "return tuple(result)"),
        ),
    ),
    "momentum": (
        "def momentum(w, grad, velocity, rate, beta):",
        (
            (
                "flat = w.ravel()\ng = grad.ravel()\nv = velocity.ravel()",
                "flat, g, v = w.reshape(-1), grad.reshape(-1), velocity.reshape(-1)",
                "flat = w.flat\ng = grad.flat\nv = velocity.flat",
            ),
            (
                "for i in range(g.size):\n    v[i] = beta * v[i] - rate * g[i]\n    flat[i] += v[i]",
                "for i in range(len(flat)):\n    step = beta * v[i]\n    step -= rate * g[i]\n"
                "    v[i] = step\n    flat[i] = flat[i] + step",
                "velocity *= beta\nvelocity -= rate * grad\nw += velocity",
                "new = beta * velocity - rate * grad\nvelocity[...] = new\nnp.add(w, new, out=w)",
            ),
            ("return w, velocity", "return (w, velocity)", "result = w, velocity\nreturn result"),
        ),
    ),
}


def write(seed: int, head: str = "import math\n\nimport numpy as np\n") -> str:
    """The module of one author."""
    choose = random.Random(f"author {seed}")
    parts = [head]
    for name, (first, steps) in FUNCTIONS.items():
        lines = [line for step in steps for line in choose.choice(step).splitlines()]
        parts.append("\n".join([first, f'    """What {name} is."""', *(f"    {line}" for line in lines)]) + "\n")
    return "\n\n".join(parts)


def copy(text: str, seed: int, noise: float = 0.2) -> str:
    """The same code with other names, comments and numbers, in another order, with lines that do nothing in between."""
    choose = random.Random(f"copyist {seed}")
    tree = _Rename(choose).visit(_Noise(choose, noise).visit(ast.parse(text)))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    others = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
    choose.shuffle(functions)
    lines = ast.unparse(ast.fix_missing_locations(ast.Module([*others, *functions], []))).splitlines()
    return "\n".join(f"{line}  # mine {choose.random()}" if choose.random() < 0.3 else line for line in lines) + "\n"


class _Rename(ast.NodeTransformer):
    """Gives every local variable another name; functions and modules keep theirs, others call them."""

    def __init__(self, choose: random.Random):
        self.choose = choose
        self.names: dict[str, str] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        stored = {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
        self.names = {name: f"my_{self.choose.randrange(10**6)}" for name in sorted(stored)}
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)


class _Noise(ast.NodeTransformer):
    """Puts lines that do nothing between statements, and takes docstrings out."""

    LINES = ("pass", "unused = 0", "None", "'a remark'", "done = False", "str(0)")

    def __init__(self, choose: random.Random, share: float):
        self.choose = choose
        self.share = share

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list) and not isinstance(node, ast.Module):
            body = [one for one in body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
            for place in reversed(range(len(body))):
                if self.choose.random() < self.share:
                    body.insert(place, ast.parse(self.choose.choice(self.LINES)).body[0])
            node.body = body  # type: ignore[attr-defined]
        return node
