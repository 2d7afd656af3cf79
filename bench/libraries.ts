/** Which libraries can be measured: how each is started, found, and set to its best. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Child, type Launch } from "./child.ts";
import type { Options } from "./serve.ts";
import type { Workload } from "./workloads.ts";

/** A library with the settings it will be measured at. */
export interface Chosen {
  readonly launch: Launch;
  readonly options: Options;
}

export interface Library {
  readonly name: string;
  /** Compared with when no `--peer` is given. */
  readonly usual: boolean;
  /** Why the library cannot be measured on this machine, with how to get it; undefined where it can. */
  readonly missing: () => string | undefined;
  /** Why it cannot run a workload; undefined where it can. */
  readonly cannot: (workload: Workload) => string | undefined;
  /** Finds the quickest settings for a workload. */
  readonly choose: (workload: Workload) => Promise<Chosen>;
}

const here = import.meta.dirname;
const cores = Math.min(availableParallelism(), 2);

function script(file: string, env: Launch["env"] = {}): Launch {
  return { command: process.execPath, args: ["--import", "tsx", join(here, file)], env };
}

const trains = ({ kind }: Workload): boolean =>
  kind === "mlp" || kind === "encoder" || kind === "conv" || kind === "lstm";

const calls = ({ kind }: Workload): boolean => kind === "dispatch" || kind === "matmul";

const decodes = ({ kind }: Workload): boolean => kind === "decode";

/** The library of this repository, every step compiled where the workload does not say otherwise. */
export const ours: Library = {
  name: "learning-loop",
  usual: false,
  missing: () => undefined,
  cannot: () => undefined,
  choose: () => Promise.resolve({ launch: script("ours.ts"), options: { compiled: true } }),
};

/** The same library without compile(): each step is recorded anew. */
const uncompiled: Library = {
  ...ours,
  name: "uncompiled",
  cannot: (workload) => (trains(workload) ? undefined : "only training steps can be compiled"),
  choose: () => Promise.resolve({ launch: script("ours.ts"), options: { compiled: false } }),
};

const python = process.env.LEARNING_LOOP_PYTHON ?? "python3";

/** glibc gives freed blocks back to the system and faults them in again; this keeps them. */
const keepMemory = { MALLOC_TRIM_THRESHOLD_: "8000000000", MALLOC_MMAP_MAX_: "0" };

const torchLaunch = (env: Launch["env"] = {}): Launch => ({
  command: python,
  args: [join(here, "peers/pytorch.py")],
  env,
});

let torchMissing: { reason: string | undefined } | undefined;

function lookForTorch(): string | undefined {
  torchMissing ??= {
    reason:
      spawnSync(python, ["-c", "import torch, numpy"]).status === 0
        ? undefined
        : `${python} cannot import torch and numpy: pip install torch numpy, or name another interpreter in LEARNING_LOOP_PYTHON`,
  };
  return torchMissing.reason;
}

async function chooseTorch(workload: Workload, fixed: Options, envs: Launch["env"][]) {
  let best: (Chosen & { ms: number }) | undefined;
  for (const env of envs) {
    const launch = torchLaunch(env);
    const child = new Child(launch);
    const found = await child.probe(workload, fixed);
    await child.close();
    const options = env === keepMemory ? { ...found.options, malloc: "keep" } : found.options;
    if (!best || found.ms < best.ms) best = { launch, options, ms: found.ms };
  }
  if (!best) throw new Error("pytorch: no environment was tried");
  return best;
}

const pytorch: Library = {
  name: "pytorch",
  usual: true,
  missing: lookForTorch,
  cannot: () => undefined,
  choose: (workload) => chooseTorch(workload, {}, [{}, keepMemory]),
};

const pytorchCompile: Library = {
  name: "pytorch-compile",
  usual: false,
  missing: () =>
    lookForTorch() ??
    (spawnSync("g++", ["--version"]).status === 0 ? undefined : "torch.compile needs g++"),
  cannot: (workload) =>
    calls(workload) || decodes(workload) ? "only steps with gradients are compiled" : undefined,
  choose: (workload) =>
    chooseTorch(workload, { compile: "default", optimizer: "fused", setToNone: true }, [{}]),
};

/** A JavaScript peer, tried with each of `settings` in a process of its own. */
function javascript(name: string, dependency: string, settings: readonly Options[]): Library {
  return {
    name,
    usual: true,
    missing: () =>
      existsSync(join(here, "node_modules", dependency))
        ? undefined
        : `${dependency} is not installed: npm ci --prefix bench`,
    cannot: (workload) =>
      workload.kind === "mlp" || workload.kind === "encoder" || calls(workload)
        ? undefined
        : "the peer's side of it is not written",
    choose: async (workload) => {
      const launch = script(`peers/${name}.mjs`);
      let best: { options: Options; ms: number } | undefined;
      for (const options of settings) {
        if (settings.length === 1) return { launch, options };
        const child = new Child(launch);
        await child.setup(workload, options, 2);
        let ms = Number.POSITIVE_INFINITY;
        for (let turn = 0; turn < 3; turn++) ms = Math.min(ms, await child.run(1));
        await child.close();
        if (!best || ms < best.ms) best = { options, ms };
      }
      if (!best) throw new Error(`${name}: no settings to try`);
      return { launch, options: best.options };
    },
  };
}

const tfjs = javascript("tfjs", "@tensorflow/tfjs-backend-wasm", [{ threads: 1 }]);
const jaxJs = javascript(
  "jax-js",
  "@jax-js/jax",
  cores > 1 ? [{ threads: 1 }, { threads: cores }] : [{ threads: 1 }],
);

/** Everything that can be named after `--peer`. */
export const peers: readonly Library[] = [pytorch, pytorchCompile, tfjs, jaxJs, uncompiled];
