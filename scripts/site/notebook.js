/**
 * A Jupyter notebook as the Markdown of a page: its texts, its code, and below that what it printed and drew.
 *
 * @param {string} json  the notebook, nbformat 4
 * @param {(png: Buffer) => string} keepFigure  told each figure, in order; gives the address that the page has for it
 * @returns {string}
 */
export function notebookMarkdown(json, keepFigure) {
  const { cells } = JSON.parse(json);
  return cells
    .flatMap(({ cell_type: kind, source, outputs = [] }) => [
      kind === "code" ? fenced(source.join(""), "python") : source.join(""),
      ...outputs.flatMap((output) => outputMarkdown(output, keepFigure)),
    ])
    .join("\n\n");
}

/** A figure in place of what it would print; everything else as text. */
function outputMarkdown({ data = {}, text = data["text/plain"] ?? [] }, keepFigure) {
  const png = data["image/png"];
  if (png !== undefined) return [`![figure](${keepFigure(Buffer.from([png].flat().join(""), "base64"))})`];
  return text.length === 0 ? [] : [fenced([text].flat().join(""), "text")];
}

function fenced(text, language) {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}
