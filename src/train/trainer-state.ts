/** `trainer_state.json`: how far a run has come, under the names that Hugging Face's Trainer uses. */

/** One line of the history: losses and rates of training, or `eval_…` of an evaluation. */
export type LogEntry = Readonly<Record<string, number | null>>;

/** What only this library knows of a run. */
export interface OwnState {
  /** Where the data stands, as its `cursor()` told. */
  readonly cursor: unknown;
  /** Samples and tokens seen. */
  readonly samples: number;
  readonly tokens: number;
  /** Updates left out since something was not finite. */
  readonly skipped: number;
  /** Evaluations without improvement. */
  readonly patience: number;
  readonly seed: number | null;
  /** Losses and metrics of updates that no step event has told yet. */
  readonly pending: Readonly<Record<string, readonly number[]>>;
}

/** Hugging Face's TrainerState; what has no meaning here keeps its default. */
export interface TrainerState {
  readonly best_global_step: number | null;
  readonly best_metric: number | null;
  readonly best_model_checkpoint: string | null;
  readonly epoch: number;
  readonly eval_steps: number | null;
  readonly global_step: number;
  readonly is_hyper_param_search: boolean;
  readonly is_local_process_zero: boolean;
  readonly is_world_process_zero: boolean;
  readonly log_history: readonly LogEntry[];
  readonly logging_steps: number;
  readonly max_steps: number;
  readonly num_input_tokens_seen: number;
  readonly num_train_epochs: number;
  readonly save_steps: number | null;
  /** Where Hugging Face's Trainer, which refuses unknown fields, lets others keep their state; this library does. */
  readonly stateful_callbacks: { readonly [name: string]: unknown; readonly LearningLoop?: Kept };
  readonly total_flos: number;
  readonly train_batch_size: number | null;
  readonly trial_name: string | null;
  readonly trial_params: null;
}

/** The form that Hugging Face gives to the state of a callback. */
interface Kept {
  readonly args: Readonly<Record<string, never>>;
  readonly attributes: OwnState;
}

/** The fields that have a meaning here; the others have Hugging Face's defaults. */
export type KnownState = Omit<
  TrainerState,
  | "is_hyper_param_search"
  | "is_local_process_zero"
  | "is_world_process_zero"
  | "stateful_callbacks"
  | "total_flos"
  | "trial_name"
  | "trial_params"
>;

export const trainerState = (known: KnownState, own: OwnState): TrainerState => ({
  ...known,
  is_hyper_param_search: false,
  is_local_process_zero: true,
  is_world_process_zero: true,
  stateful_callbacks: { LearningLoop: { args: {}, attributes: own } },
  total_flos: 0,
  trial_name: null,
  trial_params: null,
});

/** What this library has kept in a state; null where another one has written it. */
export const ownState = (state: TrainerState | null): OwnState | null =>
  state?.stateful_callbacks?.LearningLoop?.attributes ?? null;
