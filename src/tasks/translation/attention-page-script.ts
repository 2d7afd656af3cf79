/** The script of the page of attention: it runs in the reader's browser and is written into the page as its own source. */

import type { PageData } from "./attention-page-data.ts";
import type { heatMapView } from "./attention-page-heat-map.ts";
import type { lineView } from "./attention-page-lines.ts";
import type { overviewView } from "./attention-page-overview.ts";

/** Attention of one head, or the mean of some, as it is shown. */
export interface ShownMap {
  /** `[queries × keys]`, row by row. */
  readonly weights: Float32Array;
  readonly queries: readonly string[];
  readonly keys: readonly string[];
}

/** How a map is drawn. */
export interface Drawing {
  readonly name: string;
  /** Weights below it are not drawn. */
  readonly threshold: number;
  /** Weights of each query are divided by this for their colour. */
  readonly scales: Float32Array;
  /** Shows what the reader points at; null for nothing. */
  readonly tell: (query: number | null, key: number | null) => void;
}

/** Functions that stand in the page beside this one. */
interface Parts {
  readonly visibleToken: (token: string) => string;
  readonly overviewView: typeof overviewView;
  readonly heatMapView: typeof heatMapView;
  readonly lineView: typeof lineView;
}

/**
 * A token with what has no ink made visible: blanks, ends of lines, marks without a letter; other characters without ink
 * stand by their code, as those that turn the direction of writing around would turn the page's own text.
 */
export function visibleToken(token: string): string {
  if (token === "") return "∅";
  // Joiners within a token shape its letters or emoji.
  const shown = token
    .replace(/^[\u200c\u200d]+$/u, (all) => all.replace(/./gu, "◌$&"))
    .replace(/ /g, "␣")
    .replace(/\n/g, "⏎")
    .replace(/\t/g, "⇥")
    .replace(/[\p{Z}\p{Cc}\p{Cf}\p{Cs}]/gu, (sign) =>
      sign === "\u200c" || sign === "\u200d"
        ? sign
        : `‹U+${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}›`,
    );
  return /^\p{M}/u.test(shown) ? `◌${shown}` : shown;
}

/** Starts the page. */
export function runAttentionPage({
  visibleToken,
  overviewView,
  heatMapView,
  lineView,
}: Parts): void {
  const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
  const data = JSON.parse(element("data").textContent) as PageData;
  const mean = element<HTMLInputElement>("mean");
  const threshold = element<HTMLInputElement>("threshold");
  const scale = element<HTMLSelectElement>("scale");
  const naming = element<HTMLSelectElement>("naming");
  const readout = element("readout");

  const unpack = (text: string): Float32Array => {
    const bytes = atob(text);
    return Float32Array.from(
      { length: bytes.length / 2 },
      (_, i) => (bytes.charCodeAt(2 * i) + 256 * bytes.charCodeAt(2 * i + 1)) / 65535,
    );
  };
  const meanOf = (heads: readonly Float32Array[]): Float32Array => {
    const sum = new Float32Array(heads[0]?.length ?? 0);
    for (const head of heads) head.forEach((weight, i) => (sum[i]! += weight / heads.length));
    return sum;
  };
  const tokens = {
    source: data.tokens.source.map(visibleToken),
    target: data.tokens.target.map(visibleToken),
    predicted: data.tokens.predicted.map(visibleToken),
  };
  // By kind and layer: the heads and, last, their mean.
  const kinds = data.kinds.map((kind) => ({
    ...kind,
    layers: kind.maps.map((maps) => {
      const heads = maps.map(unpack);
      return heads.length > 1 ? [...heads, meanOf(heads)] : heads;
    }),
  }));
  type Kind = (typeof kinds)[number];

  /** What colours are relative to, by query. */
  const scalesOf = (weights: Float32Array, queries: number): Float32Array => {
    const width = weights.length / queries;
    const largest = (row: Float32Array) => row.reduce((a, b) => Math.max(a, b), 0) || 1;
    const whole = scale.value === "map" ? largest(weights) : 1;
    return Float32Array.from({ length: queries }, (_, q) =>
      scale.value === "row" ? largest(weights.subarray(q * width, (q + 1) * width)) : whole,
    );
  };

  const overview = overviewView(element("overview"), {
    scalesOf,
    onChoose: (layer, head) => {
      chosen = { layer, head };
      update();
    },
  });
  const heatMap = heatMapView(element("map"));
  const lines = lineView(element("lines"));
  let chosen = { layer: 0, head: 0 };
  let lastHead = 0;

  const value = (name: string) =>
    document.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)!.value;
  const kindNow = (): Kind => kinds.find(({ name }) => name === value("kind"))!;

  const update = () => {
    const kind = kindNow();
    const heads = kind.layers[chosen.layer]!;
    const isMean = heads.length > 1 && chosen.head === heads.length - 1;
    if (!isMean) lastHead = chosen.head;
    mean.checked = isMean;
    mean.disabled = heads.length < 2;
    overview.choose(chosen.layer, chosen.head);

    const hasDecoder = kind.queries === "predicted";
    element("naming-label").hidden = !hasDecoder;
    const queries = hasDecoder ? tokens[naming.value as "target" | "predicted"] : tokens.source;
    const keys = tokens[kind.keys];
    const weights = heads[chosen.head]!;
    const name = `${kind.title}, layer ${chosen.layer + 1}, ${isMean ? "mean of the heads" : `head ${chosen.head + 1}`}`;
    element("chosen").textContent = name[0]!.toUpperCase() + name.slice(1);
    const limit = Number(threshold.value);
    element("threshold-value").textContent = limit.toFixed(2);

    const quoted = (token: string) => `“\u2068${token}\u2069”`;
    const describe = (query: number) =>
      !hasDecoder
        ? quoted(queries[query]!)
        : `${quoted(tokens.target[query]!)} read, ${quoted(tokens.predicted[query]!)} written:`;
    const tell = (query: number | null, key: number | null) => {
      if (query === null || key === null) {
        readout.textContent =
          query !== null
            ? `${describe(query)} looks at the keys marked.`
            : key !== null
              ? `${quoted(keys[key]!)} is looked at by the queries marked.`
              : "Point at a weight or a token, or move to it with Tab and the arrow keys, to read values.";
        return;
      }
      const row = weights.subarray(query * keys.length, (query + 1) * keys.length);
      const own = row[key]!;
      const rank = 1 + row.reduce((count, weight) => count + (weight > own ? 1 : 0), 0);
      readout.textContent = `${describe(query)} looks at ${quoted(keys[key]!)} with weight ${own.toFixed(4)}, number ${rank} of ${keys.length} in its row.`;
    };
    tell(null, null);
    const map = { weights, queries, keys };
    const scales = scalesOf(weights, queries.length);
    const isMap = value("view") === "map";
    element("map").hidden = !isMap;
    element("lines").hidden = isMap;
    (isMap ? heatMap : lines).show(map, { name, threshold: limit, scales, tell });
  };

  const updateKind = () => {
    const kind = kindNow();
    const [queries, keys] = [tokens[kind.queries].length, tokens[kind.keys].length];
    const layer = Math.min(chosen.layer, kind.layers.length - 1);
    chosen = { layer, head: Math.min(chosen.head, kind.layers[layer]!.length - 1) };
    element("most").textContent = Math.log2(keys).toFixed(2);
    overview.show(kind.layers, { queries, keys });
    update();
  };

  for (const input of document.querySelectorAll('input[name="kind"]'))
    input.addEventListener("change", updateKind);
  for (const input of [...document.querySelectorAll('input[name="view"]'), threshold, naming])
    input.addEventListener("input", update);
  scale.addEventListener("input", () => {
    overview.paint();
    update();
  });
  mean.addEventListener("change", () => {
    chosen.head = mean.checked ? kindNow().layers[chosen.layer]!.length - 1 : lastHead;
    update();
  });
  updateKind();
}
