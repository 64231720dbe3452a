"""The submission's modules, imported from memory under the package name `exercises`.

Nothing is read from disk: the host sends the sources, so that what is judged is what was hashed, and the guest needs
no view of the submission's folder. `linecache` gets the text too, so that tracebacks show the student's own lines.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import linecache
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType

PACKAGE = "exercises"


class Library(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds and loads `exercises.<module>`.

    Parameters
    ----------
    sources : module name relative to the package ("ch05_dense", "projects.mnist_mlp") -> (path to show, source text)
    """

    def __init__(self, sources: dict[str, tuple[str, str]]):
        self.sources = {f"{PACKAGE}.{name}": pair for name, pair in sources.items()}
        self.packages = {name.rpartition(".")[0] for name in self.sources} | {PACKAGE}
        for path, text in sources.values():
            linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)

    def install(self) -> None:
        """Make the submission importable, ahead of anything of the same name on this machine."""
        sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] != PACKAGE or fullname not in self.packages | self.sources.keys():
            return None
        origin = self.sources.get(fullname, (fullname, ""))[0]
        return importlib.machinery.ModuleSpec(
            fullname, self, origin=origin, is_package=fullname in self.packages - self.sources.keys()
        )

    def get_source(self, fullname: str) -> str:
        return self.sources.get(fullname, ("", ""))[1]

    def get_code(self, fullname: str) -> CodeType:
        path, text = self.sources.get(fullname, (fullname, ""))
        return compile(text, path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self.sources.get(module.__name__, (module.__name__, ""))[0]
        exec(self.get_code(module.__name__), module.__dict__)
