"""Execute notebooks from clean, and write them without what differs from run to run.

    python3 docs/notebooks/execute.py docs/notebooks/*.ipynb              in place
    python3 docs/notebooks/execute.py --out FOLDER docs/notebooks/*.ipynb copies; LOCKSTEP_QUICK=1: the short form

A cell that fails ends it with the cell's error. The notebook keeps the SHA-256 of its code as it was executed, so that
outputs of an older text are found out (test/end-to-end/notebooks.test.ts).
"""

import argparse
import hashlib
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

#: No cell takes that long on a machine that does other things, too.
LIMIT_S = 600


def code_digest(notebook):
    """SHA-256 of all code cells, as notebooks.test.ts counts it: each text, then a zero byte."""
    digest = hashlib.sha256()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            digest.update(cell.source.encode() + b"\0")
    return digest.hexdigest()


def execute(source, target):
    notebook = nbformat.read(source, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=LIMIT_S,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(source.resolve().parent)}},
    )
    client.execute()
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "lockstep": {"code_sha256": code_digest(notebook)},
        }
    )
    nbformat.validate(notebook)
    target.write_text(nbformat.writes(notebook) + "\n", encoding="utf8")


def main():
    parser = argparse.ArgumentParser(description="Execute notebooks from clean.")
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, help="folder for the executed copies (default: in place)")
    options = parser.parse_args()
    for source in options.notebooks:
        try:
            execute(source, (options.out or source.parent) / source.name)
        except CellExecutionError as error:
            sys.exit(f"{source.name}: {error}")


if __name__ == "__main__":
    main()
