/** Makes a script of the tests one JavaScript file, which starts in a tenth of the time: for tests with many processes. */
import { symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Bundles a TypeScript file into a folder, which must be empty, and returns the file to run. */
export async function bundle(script: string, folder: string): Promise<string> {
  // Executors are imported by paths that bundlers are not to see; this one has to.
  const literal = {
    name: "executors",
    transform: (code: string, id: string) =>
      id.endsWith("/src/runtime/index.ts") ? code.replaceAll("importPath(", "import(") : undefined,
  };
  await build({
    ...{ root, configFile: false, logLevel: "silent", plugins: [literal] },
    build: { ssr: script, outDir: join(folder, "out"), target: "node20", minify: false },
  });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  return join(folder, "out", `${basename(script, ".ts")}.js`);
}
