/** The licences of what is bundled into the page lie beside it: both ask for that. */
export default { build: { license: { fileName: "licences.md" } } };
