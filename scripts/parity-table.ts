/**
 * Writes docs/pytorch-parity.md: what is compared with PyTorch, read from the fixtures in test/fixtures.
 *
 *     npx tsx scripts/parity-table.ts
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { notSupported } from "./not-supported.ts";

const root = new URL("../", import.meta.url);
const read = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`test/fixtures/${path}.json`, root), "utf8"));
const namesIn = (folder: string): string[] =>
  readdirSync(new URL(`test/fixtures/${folder}/`, root))
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.replace(/\.json$/, ""))
    .sort();

/** What is shown of the samples of one operation. */
interface Row {
  samples: number;
  gradients: number;
  second: number;
  readonly torch: Set<string>;
  readonly dtypes: Set<string>;
}

interface Sample {
  readonly grads?: unknown;
  readonly second?: unknown;
}

/** Names of PyTorch's that an expression over x0, x1, … calls: `torch.cat`, `F.pad`, `.sum`, or the operators themselves. */
function torchNames(expression: string): string[] {
  const called = [
    ...expression.matchAll(
      /\b(torch(?:\.[a-z]\w*)+|F\.\w+)\s*\(|(?:x\d|[)\]])(\.[a-z]\w*)(?=\s*\(|$)/g,
    ),
  ].map(([, name, method]) => name ?? method!);
  // Conversions beside the call are there for the dtype of its result.
  const names = called.filter((name, i) => i === 0 || !CONVERSIONS.has(name));
  return names.length > 0 ? names : [expression];
}

const CONVERSIONS = new Set([".to", ".int", ".long", ".float", ".bool", "torch.tensor"]);

/** A sample's name, which is `op | expression | types` with `| note` where needed; expressions may have a `|` themselves. */
function parts(key: string): { op: string; expression: string; types: string } {
  const [op, ...rest] = key.split(" | ") as [string, ...string[]];
  const isTypes = (text: string): boolean => /^(?:\w+\[[\d,]*\] ?)*$/.test(text);
  const at = rest.findLastIndex(isTypes);
  return { op, expression: rest.slice(0, at).join(" | "), types: rest[at]! };
}

function operations(): string[] {
  const rows = new Map<string, Row>();
  for (const family of namesIn("ops").filter((name) => name !== "shapes")) {
    for (const [key, sample] of Object.entries(read(`ops/${family}`) as Record<string, Sample>)) {
      const { op, expression, types } = parts(key);
      const row: Row = rows.get(op) ?? {
        samples: 0,
        gradients: 0,
        second: 0,
        torch: new Set(),
        dtypes: new Set(),
      };
      rows.set(op, row);
      row.samples++;
      if (sample.grads !== undefined) row.gradients++;
      if (sample.second !== undefined) row.second++;
      for (const name of torchNames(expression)) row.torch.add(name);
      for (const [, dtype] of types.matchAll(/(\w+)\[/g)) row.dtypes.add(dtype!);
    }
  }
  const code = (items: Iterable<string>): string =>
    [...items]
      .slice(0, 6)
      .map((item) => `\`${item.replaceAll("|", "\\|")}\``)
      .join(" ");
  return table(
    ["here", "in PyTorch", "dtypes", "values", "gradients", "second derivatives"],
    [...rows]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([op, { samples, gradients, second, torch, dtypes }]) => [
        `\`${op}\``,
        code(torch),
        [...dtypes].sort().join(" "),
        String(samples),
        gradients === 0 ? "" : String(gradients),
        second === 0 ? "" : String(second),
      ]),
  );
}

function texts(): string[] {
  const models = read("models/transformers") as Named;
  const searches = read("models/beams") as readonly { cases: unknown[]; sources: unknown[] }[];
  const encodings = read("text/tokenizer") as Record<"splits" | "options", unknown[]>;
  const parts = read("text/tokenizer-models") as { models: object; decoders: unknown[] };
  const trainings = read("text/tokenizer-training") as { cases: object };
  const found = searches.reduce(
    (sum, { cases, sources }) => sum + cases.length * sources.length,
    0,
  );
  const rows: readonly (readonly [what: string, peer: string, cases: number])[] = [
    ...models.map(({ name }) => [`model: ${name}`, "PyTorch", 1] as const),
    [
      "beam search: sources, each with every set of options",
      "PyTorch, reading whole targets again",
      found,
    ],
    ["normalizers and pre-tokenizers", "`tokenizers`", encodings.splits.length],
    ["encodings with pairs, truncation and padding", "`tokenizers`", encodings.options.length],
    ["tokenizer models", "`tokenizers`", Object.keys(parts.models).length],
    ["decoders", "`tokenizers`", parts.decoders.length],
    ["trainings of BPE and WordPiece", "`tokenizers`", Object.keys(trainings.cases).length],
    ["BLEU and chrF", "sacrebleu", (read("sacrebleu") as { cases: unknown[] }).cases.length],
    ["analyses of positions", "NumPy, scikit-learn", (read("text/positions") as Named).length],
  ];
  return table(
    ["what", "compared with", "cases"],
    rows.map(([what, peer, cases]) => [what, peer, String(cases)]),
  );
}

/** Counts of cases by what `nameOf` calls them. */
function counted(header: readonly string[], cases: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of cases) counts.set(name, (counts.get(name) ?? 0) + 1);
  return table(
    header,
    [...counts]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([name, count]) => [`\`${name}\``, String(count)]),
  );
}

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  `| ${header.join(" | ")} |`,
  `|${header.map(() => " --- |").join("")}`,
  ...rows.map((row) => `| ${row.join(" | ")} |`),
];

type Named = readonly { readonly name: string }[];

/** Files of fixtures whose cases begin with the name of a module or function. */
const MODULES = ["layers", "modules", "recurrent", "batch-norm", "parametrizations", "kinks"];
/** Cases of attention and of Transformers, whose names are descriptions. */
const TRANSFORMERS = ["attention", "attention-kinds", "attention-idle", "encoders", "decoders"];

/** The page as it is to be committed. */
export function parityPage(): string {
  const modules = [...MODULES, "functions"].flatMap((file) =>
    (read(`nn/${file}`) as Named).map(({ name }) => name.split(" ")[0]!),
  );
  const transformers = TRANSFORMERS.flatMap((file) =>
    (read(`nn/${file}`) as Named).map(({ name }) => name.split(",")[0]!),
  );
  // The first entry is the masks that the others combine.
  const [, ...combinations] = read("nn/transformer-masks") as readonly unknown[];
  transformers.push(
    ...combinations.map(() => "transformer with each combination of its six masks"),
  );
  const lossCases = read("nn/losses") as readonly { function: string; module?: string }[];
  const twins = new Map(lossCases.map((entry) => [entry.function, entry.module]));
  for (const { function: name, module } of lossCases) if (module) twins.set(name, module);
  const losses = lossCases.map(({ function: name }) =>
    [name, twins.get(name)].filter((part) => part !== undefined).join(" "),
  );
  const optimizers = (read("optim/optimizers") as readonly { optimizer: string }[]).map(
    (entry) => entry.optimizer,
  );
  const schedules = [...(read("optim/schedules") as Named).map(({ name }) => name.split(" ")[0]!)];
  return [
    "# What matches PyTorch",
    "",
    "Generated by `npx tsx scripts/parity-table.ts` from the fixtures that the tests compare with, which PyTorch 2.15 made;",
    "a test fails when this page is not what the fixtures say. Numbers are counts of cases.",
    "",
    "## Operations",
    "",
    "Shape, dtype and elements of every sample equal PyTorch's: relative to the larger of 1 and the element within 1e-5 in",
    "float32 and 1e-10 in float64 (1e-5 where ONNX Runtime has a float32 kernel only), exactly in other dtypes; a few samples whose",
    "rounding is amplified state their own bound. The same samples run compiled, on the CPU in two ways, in WebAssembly and",
    "on WebGPU, and gradients also agree with finite differences. Besides, PyTorch and this library agree on the shape of the",
    "result, or on there being none, for random shapes and arguments (`test/fixtures/ops/shapes.json`).",
    "",
    ...operations(),
    "",
    "## Modules and functionals",
    "",
    "Outputs, gradients of inputs and of parameters, and state-dict keys, within 1e-5.",
    "",
    ...counted(["module or function", "cases"], modules),
    "",
    "Attention and Transformers, with every kind of mask:",
    "",
    ...counted(["case", "cases"], transformers),
    "",
    "## Models, decoding and texts",
    "",
    "Logits, losses and gradients within 1e-5, scores of beam search within 1e-4; tokens, ids and offsets exactly.",
    "",
    ...texts(),
    "",
    "## Losses",
    "",
    "Values, gradients and, where PyTorch has them, second derivatives: 1e-5 in float32, 1e-10 in float64.",
    "",
    ...counted(["loss, and its module", "cases"], losses),
    "",
    "## Optimizers and schedules",
    "",
    "Twenty steps of each set of options, compiled and not: 1e-6 in float32 (1e-5 for RMSprop and Adafactor), 1e-12 in float64.",
    "State dicts of PyTorch's are loaded and continued. Rates of schedules: 1e-11.",
    "",
    ...counted(["optimizer", "sets of options"], optimizers),
    "",
    ...counted(["schedule", "cases"], schedules),
    "",
    "## Not supported",
    "",
    ...table(
      ["in PyTorch", "why, or what instead"],
      notSupported.map(([names, why]) => [names.map((name) => `\`${name}\``).join(" "), why]),
    ),
    "",
  ].join("\n");
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  writeFileSync(fileURLToPath(new URL("docs/pytorch-parity.md", root)), parityPage());
