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
    const { output, resume = false, overwrite = false } = this.#options;
    const options = this.#folderOptions;
    if (output !== undefined) {
      await ensureWritable(output, options);
      await cleanCheckpoints(output, options);
      const old = await listCheckpoints(output, options);
      if (resume === false && old.length > 0) {
        if (!overwrite)
          throw new CheckpointError(
            output,
            null,
            `has checkpoints of another run, up to step ${old.at(-1)!.step}; go on with resume: true, remove them with overwrite: true, or name another folder`,
          );
        await pruneCheckpoints(output, { ...options, keep: 0 });
      }
    }
    const { checkpoint, damaged } = await this.#find(resume);
    if (checkpoint === null && damaged.length > 0) throw damaged[0]!;
    if (checkpoint === null) return { from: null, state: null, damaged };
    const state = await loadCheckpoint(checkpoint, this.#parts);
    const own = ownState(state);
    if (state === null || own === null)
      throw new CheckpointError(
        checkpoint.folder,
        "trainer_state.json",
        "is missing, or says nothing of the data's cursor; only checkpoints written here can be gone on from",
      );
    this.#last = checkpoint.folder;
    return { from: checkpoint.folder, state: { all: state, own }, damaged };
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
      const removed = await pruneCheckpoints(output, { ...this.#folderOptions, keep, protect });
      return { folder, removed, problem: null };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { folder, removed: [], problem: `older checkpoints cannot be removed: ${reason}` };
    }
  }
}
