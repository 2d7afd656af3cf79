/** How `npm run docs` writes the API reference from the docstrings. */
export default {
  entryPoints: [
    "src/index.ts",
    ...["nn", "optim", "data", "text", "hub", "train", "models", "tasks"].map(
      (room) => `src/${room}/index.ts`,
    ),
  ],
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
