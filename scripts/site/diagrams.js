/**
 * Draws the diagrams of a page, whose text stands in it, in the colours of its theme. Without this script, or where it
 * fails, the text stays.
 */
const sources = [...document.querySelectorAll("pre > code.mermaid")].map((code) => {
  for (const lineBreak of code.querySelectorAll("br")) lineBreak.replaceWith("\n");
  return { block: code.parentElement, text: code.textContent };
});

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

async function draw(mermaid) {
  const [ink, panel, raise, edge] = ["text", "background-secondary", "background-active", "text-aside"].map((name) =>
    token(`--color-${name}`),
  );
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    look: "classic",
    sequence: { wrap: true },
    theme: "base",
    themeVariables: {
      ...{ fontFamily: "system-ui, sans-serif", fontSize: "14px", background: panel, textColor: ink, lineColor: edge },
      ...{ primaryColor: raise, primaryTextColor: ink, primaryBorderColor: edge, edgeLabelBackground: panel },
      ...{ noteBkgColor: panel, noteTextColor: ink, noteBorderColor: edge, actorLineColor: edge, signalColor: ink },
    },
  });
  for (const [number, { block, text }] of sources.entries()) {
    const { svg } = await mermaid.render(`diagram-${number}`, text);
    const figure = document.createElement("div");
    figure.className = "site-diagram";
    figure.innerHTML = svg;
    (block.nextElementSibling?.className === "site-diagram" ? block.nextElementSibling : undefined)?.remove();
    block.after(figure);
    block.hidden = true;
  }
}

function start() {
  const mermaid = globalThis.mermaid;
  draw(mermaid);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(mermaid));
  new MutationObserver(() => draw(mermaid)).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

if (sources.length > 0) {
  const script = document.createElement("script");
  script.src = new URL("mermaid.js", document.currentScript.src).href;
  script.addEventListener("load", start);
  document.head.append(script);
}
