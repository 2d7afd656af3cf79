/** The overview of the page of attention: a small picture of every layer and head. Written into the page as its source. */

/** Draws into `place`, and reports the picture that the reader chooses; `scalesOf` is what the colours of a map are relative to, by query. */
export function overviewView(
  place: HTMLElement,
  {
    scalesOf,
    onChoose,
  }: {
    readonly scalesOf: (weights: Float32Array, queries: number) => Float32Array;
    readonly onChoose: (layer: number, head: number) => void;
  },
): {
  /** By layer, the heads and, last where there are more than one, their mean. */
  show: (
    layers: readonly (readonly Float32Array[])[],
    size: { readonly queries: number; readonly keys: number },
  ) => void;
  choose: (layer: number, head: number) => void;
  /** Colours all pictures again. */
  paint: () => void;
} {
  interface Picture {
    readonly button: HTMLButtonElement;
    readonly canvas: HTMLCanvasElement;
    readonly weights: Float32Array;
  }
  let pictures: Picture[][] = [];
  const dark = matchMedia("(prefers-color-scheme: dark)");

  /** Mean entropy of the rows in bits; rows that are masked throughout do not count. */
  const entropyOf = (weights: Float32Array, keys: number): number => {
    let [total, rows] = [0, 0];
    for (let from = 0; from < weights.length; from += keys) {
      const row = weights.subarray(from, from + keys);
      const sum = row.reduce((a, b) => a + b, 0);
      if (sum === 0) continue;
      rows += 1;
      for (const weight of row) if (weight > 0) total -= (weight / sum) * Math.log2(weight / sum);
    }
    return rows === 0 ? 0 : total / rows;
  };

  const paint = (isDark = dark.matches) => {
    const [red, green, blue] = isDark ? [120, 190, 255] : [0, 80, 165];
    for (const { canvas, weights } of pictures.flat()) {
      const context = canvas.getContext("2d")!;
      const image = context.createImageData(canvas.width, canvas.height);
      const scales = scalesOf(weights, canvas.height);
      weights.forEach((weight, i) => {
        const strength = weight / scales[Math.floor(i / canvas.width)]!;
        image.data.set([red, green, blue, 255 * strength], 4 * i);
      });
      context.putImageData(image, 0, 0);
    }
  };
  dark.addEventListener("change", () => paint());
  // Paper is white.
  window.addEventListener("beforeprint", () => paint(false));
  window.addEventListener("afterprint", () => paint());

  place.addEventListener("keydown", (event) => {
    const layer = pictures.findIndex((row) => row.some(({ button }) => button === event.target));
    if (layer < 0) return;
    const head = pictures[layer]!.findIndex(({ button }) => button === event.target);
    const [down, right] =
      { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ??
      [];
    const next = pictures[layer + (down ?? 0)]?.[head + (right ?? 0)];
    if (down === undefined || next === undefined) return;
    event.preventDefault();
    next.button.focus();
    next.button.click();
  });

  return {
    show: (layers, { queries, keys }) => {
      const heads = Math.max(...layers.map((maps) => maps.length));
      const table = document.createElement("table");
      const header = table.createTHead().insertRow();
      const head = (row: HTMLTableRowElement, scope: string, text: string) => {
        const cell = document.createElement("th");
        cell.scope = scope;
        cell.textContent = text;
        row.append(cell);
      };
      header.insertCell();
      const isMean = (maps: readonly unknown[], h: number) =>
        maps.length > 1 && h === maps.length - 1;
      for (let h = 0; h < heads; h += 1)
        head(header, "col", layers.every((maps) => isMean(maps, h)) ? "mean" : `head ${h + 1}`);
      const body = table.createTBody();
      pictures = layers.map((maps, layer) => {
        const row = body.insertRow();
        head(row, "row", `layer ${layer + 1}`);
        return maps.map((weights, h) => {
          const entropy = `${entropyOf(weights, keys).toFixed(2)} bits`;
          const button = document.createElement("button");
          button.type = "button";
          const canvas = document.createElement("canvas");
          canvas.width = keys;
          canvas.height = queries;
          canvas.style.height = `${Math.max(24, Math.min(144, (72 * queries) / keys))}px`;
          // Shrunk pictures lose lines unless their pixels are mixed.
          if (Math.max(queries, keys) > 72) canvas.style.imageRendering = "auto";
          const small = document.createElement("small");
          small.textContent = entropy;
          button.append(canvas, small);
          const what = isMean(maps, h) ? "mean of the heads" : `head ${h + 1}`;
          button.setAttribute("aria-label", `layer ${layer + 1}, ${what}, entropy ${entropy}`);
          button.addEventListener("click", () => onChoose(layer, h));
          row.insertCell().append(button);
          return { button, canvas, weights };
        });
      });
      place.replaceChildren(table);
      paint();
    },
    choose: (layer, head) => {
      pictures.forEach((row, l) =>
        row.forEach(({ button }, h) => {
          const isChosen = l === layer && h === head;
          button.setAttribute("aria-pressed", String(isChosen));
          button.tabIndex = isChosen ? 0 : -1;
        }),
      );
    },
    paint: () => paint(),
  };
}
