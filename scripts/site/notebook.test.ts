import { expect, test } from "vitest";
import { notebookMarkdown } from "./notebook.js";

test("a notebook becomes its texts, its code, and what that printed and drew, in this order", () => {
  const png = Buffer.from([137, 80, 78, 71]);
  const cells = [
    { cell_type: "markdown", source: ["# One\n", "\n", "Text, [linked](../README.md)."] },
    {
      cell_type: "code",
      source: ["print(1)\n", "plot()"],
      outputs: [
        { output_type: "stream", name: "stdout", text: ["1\n"] },
        { output_type: "display_data", data: { "image/png": png.toString("base64"), "text/plain": ["<Figure>"] } },
      ],
    },
    { cell_type: "code", source: ["quiet()"], outputs: [] },
  ];
  const kept: Buffer[] = [];
  const page = notebookMarkdown(JSON.stringify({ nbformat: 4, cells }), (figure) => `figure-${kept.push(figure)}.png`);
  expect(page).toBe(
    "# One\n\nText, [linked](../README.md).\n\n```python\nprint(1)\nplot()\n```\n\n```text\n1\n```\n\n![figure](figure-1.png)\n\n```python\nquiet()\n```",
  );
  expect(kept).toEqual([png]);
});
