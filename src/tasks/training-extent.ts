/** How long a model was trained, which its folder tells. */

/** Fewer steps than planned mean that training was stopped. */
export interface TrainingExtent {
  readonly steps: number;
  readonly plannedSteps: number;
}
