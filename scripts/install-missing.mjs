// Installs the dependencies when they are not there or no longer those of package-lock.json, so that `npm start` and
// `npm test` work straight after a clone: with ignore-scripts npm runs no pre- and post-scripts that could do it.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import process from "node:process";

const installed = "node_modules/.package-lock.json";
const fresh =
  existsSync(installed) && statSync(installed).mtimeMs >= statSync("package-lock.json").mtimeMs;
if (!fresh) {
  process.stderr.write("Installing dependencies (npm ci) …\n");
  // Output goes to stderr: stdout belongs to the program that runs next.
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    process.stderr.write(
      "npm ci failed; see above. With a network to the npm registry, run it again.\n",
    );
    process.exit(status ?? 1);
  }
}
