/** Runs the conformance suite and training steps in a real headless Chromium: `npm run test:browser`. */

import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";
import { build, preview } from "vite";
import type { Report } from "./report.ts";

const LIMIT_MINUTES = 15;

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

function findChromium(): string {
  const path = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
  if (existsSync(path)) return path;
  throw new Error(
    `test:browser: there is no Chromium at ${path}. Install it (on Debian: apt-get install chromium), ` +
      "or give its path in the environment variable CHROMIUM_PATH",
  );
}

/** Bundles the page as an application would bundle the library, and serves it; ends with the process. */
async function serve(outDir: string): Promise<string> {
  const root = folder("./");
  const shared = { configFile: false, root, logLevel: "error" } as const;
  await build({
    ...shared,
    publicDir: folder("../fixtures/ops/"),
    build: { outDir, emptyOutDir: true, target: "esnext", minify: false, assetsInlineLimit: 0 },
  });
  const server = await preview({
    ...shared,
    build: { outDir },
    preview: {
      host: "127.0.0.1",
      port: 0,
      // Cross-origin isolation, without which WebAssembly has one thread.
      headers: {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
      },
    },
  });
  const url = server.resolvedUrls?.local[0];
  if (url === undefined) throw new Error("test:browser: the local server has no address");
  return url;
}

/** Counts by suite, and what went wrong. */
class Results {
  readonly passed = new Map<string, number>();
  readonly failures: string[] = [];
  finished = false;

  add(report: Report): void {
    switch (report.kind) {
      case "started":
        this.passed.set(report.suite, 0);
        console.log(report.suite);
        break;
      case "passed":
        this.passed.set(report.suite, (this.passed.get(report.suite) ?? 0) + 1);
        break;
      case "failed":
        this.fail(
          `${report.suite}: ${report.name}\n    ${report.reason.replaceAll("\n", "\n    ")}`,
        );
        break;
      case "finished":
        this.finished = true;
        break;
    }
  }

  fail(what: string): void {
    this.failures.push(what);
    console.log(`  FAILED ${what}`);
  }
}

async function runPage(page: Page, url: string, results: Results): Promise<void> {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  page.on("console", (message) => results.fail(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => {
    results.fail(`uncaught: ${error.stack ?? error.message}`);
    end();
  });
  page.on("crash", () => {
    results.fail("the page crashed");
    end();
  });
  await page.exposeFunction("report", (report: Report) => {
    results.add(report);
    if (results.finished) end();
  });
  const limit = setTimeout(() => {
    results.fail(`not done after ${LIMIT_MINUTES} minutes`);
    end();
  }, LIMIT_MINUTES * 60_000);
  await page.goto(url);
  await ended;
  clearTimeout(limit);
}

const results = new Results();
const temporary = await mkdtemp(join(tmpdir(), "learning-loop-browser-"));
try {
  const executablePath = findChromium();
  const url = await serve(join(temporary, "site"));
  const context = await chromium.launchPersistentContext(join(temporary, "profile"), {
    executablePath,
    headless: true,
    args: FLAGS,
  });
  await runPage(await context.newPage(), url, results);
  await context.close();
} catch (error) {
  results.fail(error instanceof Error ? error.message : String(error));
} finally {
  await rm(temporary, { recursive: true, force: true });
}
for (const [suite, count] of results.passed) console.log(`${count} passed: ${suite}`);
console.log(`${results.failures.length} failed`);
// The server would keep the process alive.
process.exit(results.finished && results.failures.length === 0 ? 0 : 1);
