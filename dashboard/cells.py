"""What the cells of a notebook show, in its kernel: it ends when a cell is run again.

JupyterLab would tell a kernel of an output that is gone by a comm which Panel's extension of it
(pyviz_comms 3.0.6) never opens, so that models, comms and listeners of each run would stay. But a
kernel knows when a cell is run again.
"""

from functools import cache

import panel as pn
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult
from panel.io.state import state


class Cells:
    """The cells of this kernel's notebook.

    Args:
        shell: What runs them.
    """

    def __init__(self, shell: ZMQInteractiveShell) -> None:
        self._shell = shell
        self._shown: dict[str, set[str]] = {}  # ids of Panel's views, by the cell
        self._before = set(state._views)
        self._is_loaded: bool = pn.extension._loaded
        self._loads = False
        self._loader: str | None = None
        shell.events.register("pre_run_cell", self._begin)
        shell.events.register("post_run_cell", self._end)

    def load_panel(self) -> None:
        """Bring Panel into the notebook, with nothing from another host, unless it is there.

        Its scripts are in the output of the first cell that needs them. Each run of that cell
        gives them again, for the output goes, and a page that was opened anew has no other.
        """
        if not self._is_loaded:
            pn.extension(inline=True)
            self._is_loaded = self._loads = True

    def _begin(self, info: ExecutionInfo) -> None:
        if info.cell_id is not None:
            for view in self._shown.pop(info.cell_id, ()):
                self._end_view(view)
            if info.cell_id == self._loader:
                self._is_loaded = False
        self._before = set(state._views)

    def _end(self, result: ExecutionResult) -> None:
        cell = result.info.cell_id if result.info else None
        if cell is None:  # a front end that does not tell which one it was
            return
        self._shown[cell] = set(state._views) - self._before
        if self._loads:
            self._loader, self._loads = cell, False

    def _end_view(self, view: str) -> None:
        """As Panel does it where it is told, and what it then forgets of the comms."""
        if view not in state._views:
            return
        viewable, root, _, _ = state._views.pop(view)
        comms = viewable._comms.get(view, ())
        viewable._cleanup(root)
        for comm in comms:
            state._comm_manager._comms.pop(comm.id, None)
            self._shell.kernel.comm_manager.targets.pop(comm.id, None)


@cache
def cells() -> Cells:
    """Return those of this process, which is a notebook's kernel."""
    shell = get_ipython()
    if not isinstance(shell, ZMQInteractiveShell):
        raise RuntimeError("this process runs no notebook")
    return Cells(shell)
