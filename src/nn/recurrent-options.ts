/** Options of recurrent networks, their names and their checks. */

import type { Tensor } from "../tensor.ts";

/** Options of recurrent networks. */
export interface RecurrentOptions {
  /** How many networks stand on one another, each reading the states of the one below; 1 unless given. */
  readonly numLayers?: number;
  readonly bias?: boolean;
  /** Inputs and outputs are [B, T, …] rather than [T, B, …] (default). */
  readonly batchFirst?: boolean;
  /** Probability with which elements between layers are zeroed while training. */
  readonly dropout?: number;
  /** Read the sequence from both ends, with weights of their own. */
  readonly bidirectional?: boolean;
}

/** Options of {@link RNN}. */
export interface RnnOptions extends RecurrentOptions {
  readonly nonlinearity?: "tanh" | "relu";
}

/** Options of {@link LSTM}. */
export interface LstmOptions extends RecurrentOptions {
  /** Project h to this many elements (Sak et al., 2014). */
  readonly projSize?: number;
}

/** What recurrent networks take besides a sequence and first states. */
export interface SequenceOptions {
  /**
   * Steps of each sequence [B], 1 … T, as numbers or int tensor: what torch packs sequences for. Steps behind are not read,
   * their outputs are 0, and the last state is the one after the last step of each sequence.
   */
  readonly lengths?: readonly number[] | Tensor;
}

export const OPTIONS = ["numLayers", "bias", "batchFirst", "dropout", "bidirectional"];

/** Checks options that plain JavaScript may get wrong, and names them as the user did. */
export function checked(name: string, options: LstmOptions, hidden: number): Required<LstmOptions> {
  const full = {
    ...{ numLayers: 1, bias: true, batchFirst: false, dropout: 0, bidirectional: false },
    ...{ projSize: 0, ...options },
  };
  const { numLayers, dropout, projSize } = full;
  if (!Number.isInteger(numLayers) || numLayers < 1)
    throw new Error(`${name}: numLayers must be a positive integer, got ${numLayers}`);
  if (!(dropout >= 0 && dropout <= 1))
    throw new Error(`${name}: dropout must be in [0, 1], got ${dropout}`);
  if (!Number.isInteger(hidden) || hidden < 1)
    throw new Error(`${name}: hiddenSize must be a positive integer, got ${hidden}`);
  if (!Number.isInteger(projSize) || projSize < 0 || projSize >= hidden)
    throw new Error(`${name}: projSize must be smaller than hiddenSize ${hidden}, got ${projSize}`);
  return full;
}
