/** Turns tokens into rows of feature ids, with one vocabulary a feature, trained on the training split. */
import { FEATURE_NAMES, tokenFeatures, type FeatureName } from "./features.ts";
import { tokenize, type Token } from "./tokenize.ts";
import { Vocabulary } from "./vocabulary.ts";

export interface FeatureVocabularyOptions {
  /** A feature's value must occur this often to get an id; rarer ones are trained as unknown. */
  readonly minCount?: number;
  /** Largest number of ids of one feature. */
  readonly maxSize?: number;
}

/** Vocabularies of all features and the encoding that uses them. */
export class FeatureEncoder {
  readonly vocabularies: Readonly<Record<FeatureName, Vocabulary>>;

  constructor(vocabularies: Readonly<Record<FeatureName, Vocabulary>>) {
    this.vocabularies = vocabularies;
  }

  /** Learns the vocabularies from texts: a value counts once for every token that has it. */
  static train(
    texts: Iterable<string>,
    { minCount = 2, maxSize = 20_000 }: FeatureVocabularyOptions = {},
  ): FeatureEncoder {
    const all = perFeature((): string[] => []);
    for (const text of texts) {
      const features = tokenFeatures(tokenize(text));
      for (const name of FEATURE_NAMES) for (const value of features[name]) all[name].push(value);
    }
    return new FeatureEncoder(
      perFeature((name) => Vocabulary.train(all[name], { minCount, maxSize })),
    );
  }

  /** Number of ids of each feature, in the order of {@link FEATURE_NAMES}. */
  get sizes(): number[] {
    return FEATURE_NAMES.map((name) => this.vocabularies[name].size);
  }

  /** Ids as `[tokens × features]`, row by row: token `t`, feature `f` at `t * FEATURE_NAMES.length + f`. */
  encode(tokens: readonly Token[]): Int32Array {
    const width = FEATURE_NAMES.length;
    const ids = new Int32Array(tokens.length * width);
    const features = tokenFeatures(tokens);
    FEATURE_NAMES.forEach((name, f) => {
      features[name].forEach((value, t) => {
        ids[t * width + f] = this.vocabularies[name].id(value);
      });
    });
    return ids;
  }

  toJSON(): Record<FeatureName, string[]> {
    return perFeature((name) => this.vocabularies[name].toJSON());
  }

  /** @throws TypeError when a feature's vocabulary is missing or malformed. */
  static fromJSON(value: unknown): FeatureEncoder {
    if (typeof value !== "object" || value === null) {
      throw new TypeError("FeatureEncoder.fromJSON: expected an object of vocabularies");
    }
    const saved = value as Readonly<Record<string, unknown>>;
    return new FeatureEncoder(perFeature((name) => Vocabulary.fromJSON(saved[name])));
  }
}

function perFeature<T>(make: (name: FeatureName) => T): Record<FeatureName, T> {
  return Object.fromEntries(FEATURE_NAMES.map((name) => [name, make(name)])) as Record<
    FeatureName,
    T
  >;
}
