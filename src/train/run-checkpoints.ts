/** The checkpoints of one run: where it goes on from, which it writes, and which it removes. */

import { loadCheckpoint, saveCheckpoint, type CheckpointParts } from "./checkpoint.ts";
import {
  CheckpointError,
  cleanCheckpoints,
  ensureWritable,
  latestCheckpoint,
  listCheckpoints,
  pruneCheckpoints,
  readCheckpoint,
  type FolderOptions,
  type FoundCheckpoint,
} from "./checkpoint-folder.ts";
import { partsOf, type TrainerOptions } from "./trainer-options.ts";
import { ownState, type OwnState, type TrainerState } from "./trainer-state.ts";

export interface Beginning {
  /** Folder of the checkpoint that has been loaded, and its state. */
  readonly from: string | null;
  readonly state: { readonly all: TrainerState; readonly own: OwnState } | null;
  /** Newer ones that were damaged. */
  readonly damaged: readonly CheckpointError[];
}

export interface Saved {
  readonly folder: string;
  /** Older ones that were removed. */
  readonly removed: readonly string[];
  /** Why older ones could not be removed. */
  readonly problem: string | null;
}

export class RunCheckpoints<B> {
  readonly #options: TrainerOptions<B>;
  readonly #parts: CheckpointParts;
  readonly #folderOptions: FolderOptions;
  #last: string | null = null;

  constructor(options: TrainerOptions<B>) {
    this.#options = options;
    this.#parts = partsOf(options);
    const { fileSystem } = options;
    this.#folderOptions = fileSystem === undefined ? {} : { fileSystem };
  }

  /** Folder of the last checkpoint. */
  get last(): string | null {
    return this.#last;
  }

  folderOf(step: number): string {
    return `${this.#options.output!}/checkpoint-${step}`;
  }

  /** Makes the output folder ready and takes up a checkpoint, where that is wanted and there is one. */
  async begin(): Promise<Beginning> {
    const { output, resume = false } = this.#options;
    const options = this.#folderOptions;
    if (output !== undefined) {
      await ensureWritable(output, options);
      await cleanCheckpoints(output, options);
      if (resume === false) await this.#makeRoom(output, 0, "another run");
    }
    const { checkpoint, damaged } = await this.#find(resume);
    if (checkpoint === null && damaged.length > 0) throw damaged[0]!;
    if (checkpoint === null) return { from: null, state: null, damaged };
    const all = await loadCheckpoint(checkpoint, this.#parts);
    const own = ownState(all);
    if (all === null || own === null)
      throw new CheckpointError(
        checkpoint.folder,
        "trainer_state.json",
        "is missing, or says nothing of the data's cursor; only checkpoints written here can be gone on from",
      );
    if (output !== undefined && resume !== true)
      await this.#makeRoom(output, all.global_step + 1, `steps after ${all.global_step}`);
    this.#last = checkpoint.folder;
    const best = await this.#whereItIs(all.best_model_checkpoint);
    return {
      from: checkpoint.folder,
      state: { all: { ...all, best_model_checkpoint: best }, own },
      damaged,
    };
  }

  /** Checkpoints from some step on would be taken for this run's: removes them, if that is allowed. */
  async #makeRoom(output: string, first: number, whose: string): Promise<void> {
    const options = this.#folderOptions;
    const newest = (await listCheckpoints(output, options)).at(-1)?.step ?? -1;
    if (newest < first) return;
    if (this.#options.overwrite !== true)
      throw new CheckpointError(
        output,
        null,
        `has checkpoints of ${whose}, up to step ${newest}; go on with resume: true, remove them with overwrite: true, or name another folder`,
      );
    await pruneCheckpoints(output, { ...options, keep: 0, from: first });
  }

  /** The best checkpoint's folder by the name that the output folder has now; it may have been moved, or named otherwise. */
  async #whereItIs(best: string | null): Promise<string | null> {
    const { output } = this.#options;
    if (best === null || output === undefined) return best;
    const here = await listCheckpoints(output, this.#folderOptions);
    const name = best.split(/[\\/]/).at(-1)!;
    return here.find(({ folder }) => folder === `${output}/${name}`)?.folder ?? best;
  }

  async #find(resume: boolean | string): Promise<{
    checkpoint: Pick<FoundCheckpoint, "folder" | "files"> | null;
    damaged: readonly CheckpointError[];
  }> {
    if (resume === false) return { checkpoint: null, damaged: [] };
    if (resume === true) return latestCheckpoint(this.#options.output!, this.#folderOptions);
    const files = await readCheckpoint(resume, this.#folderOptions);
    return { checkpoint: { folder: resume, files }, damaged: [] };
  }

  async save(state: TrainerState): Promise<Saved> {
    const { output = "", keep, files = {} } = this.#options;
    const folder = await saveCheckpoint(
      output,
      state.global_step,
      { ...this.#parts, state, files: typeof files === "function" ? files() : files },
      this.#folderOptions,
    );
    this.#last = folder;
    const protect = state.best_model_checkpoint === null ? [] : [state.best_model_checkpoint];
    if (keep === undefined) return { folder, removed: [], problem: null };
    try {
      const removed = await pruneCheckpoints(output, {
        ...this.#folderOptions,
        ...{ keep, protect, upTo: state.global_step },
      });
      return { folder, removed, problem: null };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { folder, removed: [], problem: `older checkpoints cannot be removed: ${reason}` };
    }
  }
}
