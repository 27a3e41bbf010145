"""Execute notebooks from clean, and write them without what differs from run to run.

    python3 docs/notebooks/execute.py docs/notebooks/*.ipynb              in place
    python3 docs/notebooks/execute.py --out FOLDER docs/notebooks/*.ipynb copies; LOCKSTEP_QUICK=1: the short form

A cell that fails ends it with the cell's error. The notebook keeps the SHA-256 of its code as it was executed, so that
outputs of an older text are found out (test/end-to-end/notebooks.test.ts).
"""

import argparse
import base64
import hashlib
import io
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

#: No cell takes that long on a machine that does other things, too.
LIMIT_S = 600
#: Lines and text on white need no more, edges included, and take half the bytes.
COLOURS = 64


def code_digest(notebook):
    """SHA-256 of all code cells, as notebooks.test.ts counts it: each text, then a zero byte."""
    digest = hashlib.sha256()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            digest.update(cell.source.encode() + b"\0")
    return digest.hexdigest()


def shrink_figures(notebook):
    """Keep figures with few colours."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" not in output.get("data", {}):
                continue
            figure = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).convert("RGB")
            small = io.BytesIO()
            figure.quantize(COLOURS).save(small, "PNG", optimize=True)
            output.data["image/png"] = base64.b64encode(small.getvalue()).decode()


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
    shrink_figures(notebook)
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
