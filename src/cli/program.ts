/** What the program is called and which version it is. */
import { readFileSync } from "node:fs";

/** How the user calls the program, told by the path of its script: `loop` as an installed command, else through npm. */
export function programName(script = ""): string {
  return /(^|[\\/])(loop|dist[\\/]cli[\\/]main\.js)$/.test(script) ? "loop" : "npm start --";
}

/** The version in package.json, which lies two folders above this file in sources and builds alike. */
export function programVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
