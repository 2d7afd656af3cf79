/** How `npm run docs` writes the API reference from the docstrings. */
export default {
  entryPoints: ["index", "nn/index", "optim/index", "data/index", "train/index", "hub/index"].map(
    (room) => `src/${room}.ts`,
  ),
  tsconfig: "tsconfig.build.json",
  out: "docs/api",
  name: "Learning Loop",
  readme: "none",
  // Links to the files beside the reference, in a clone.
  disableGit: true,
  sourceLinkTemplate: "../../../{path}#{line}",
  plugin: ["./scripts/typedoc-families.js"],
  intentionallyNotExported: ["TensorCore", "Kept"],
  skipErrorChecking: true,
  categoryOrder: ["Tensors", "Creation", "*", "Other"],
  treatValidationWarningsAsErrors: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeProtected: true,
  requiredToBeDocumented: [
    "Function",
    "Class",
    "Interface",
    "TypeAlias",
    "Method",
    "Variable",
    "GetSignature",
  ],
  validation: {
    notExported: true,
    invalidLink: true,
    invalidPath: true,
    rewrittenLink: true,
    notDocumented: true,
    unusedMergeModuleWith: true,
  },
};
