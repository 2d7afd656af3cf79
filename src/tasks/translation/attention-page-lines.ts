/** The lines of the page of attention: from each query to the keys it looks at. Written into the page as its source. */

import type { Drawing, ShownMap } from "./attention-page-script.ts";

/** Draws into `place`. */
export function lineView(place: HTMLElement): {
  show: (map: ShownMap, drawing: Drawing) => void;
} {
  /** Height of a token and width between them, in pixels. */
  const [HEIGHT, WIDTH] = [28, 260];
  /** Fainter lines cannot be seen. */
  const FAINTEST = 0.01;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  let sides: HTMLButtonElement[][] = [[], []];
  let shape = "";
  let shown: { readonly map: ShownMap; readonly drawing: Drawing } | undefined;

  const positionOf = (target: EventTarget | null) => {
    const button = target instanceof Element ? target.closest("button") : null;
    const side = sides.findIndex((buttons) => buttons.includes(button!));
    return side < 0 ? null : { side, index: sides[side]!.indexOf(button!) };
  };

  /** Draws all lines, or those of the token that the reader points at. */
  const draw = (at: { side: number; index: number } | null) => {
    const { map, drawing } = shown!;
    const { weights, keys } = map;
    const isActive = (side: number, index: number) => at?.side === side && at.index === index;
    const marks = sides.map((buttons) => new Float32Array(buttons.length));
    let lines = "";
    weights.forEach((weight, i) => {
      const [query, key] = [Math.floor(i / keys.length), i % keys.length];
      const colour = weight / drawing.scales[query]!;
      if (weight < drawing.threshold || colour < FAINTEST) return;
      if (at !== null && !isActive(0, query) && !isActive(1, key)) return;
      marks[0]![query] = Math.max(marks[0]![query]!, colour);
      marks[1]![key] = Math.max(marks[1]![key]!, colour);
      const [from, to] = [query, key].map((index) => (index + 0.5) * HEIGHT);
      lines += `<line x1="0" y1="${from}" x2="${WIDTH}" y2="${to}" stroke-opacity="${colour.toFixed(3)}"/>`;
    });
    svg.innerHTML = lines;
    sides.forEach((buttons, side) =>
      buttons.forEach((button, index) => {
        const mark = at === null || at.side === side ? 0 : marks[side]![index]!;
        button.style.setProperty("--weight", mark.toFixed(3));
        button.classList.toggle("middling", mark > 0.6);
        button.classList.toggle("strong", mark > 0.77);
        button.classList.toggle("marked", isActive(side, index));
        const weight =
          at === null || at.side === side
            ? undefined
            : weights[side === 1 ? at.index * keys.length + index : index * keys.length + at.index];
        button.dataset["weight"] = weight?.toFixed(4) ?? "";
      }),
    );
    drawing.tell(at?.side === 0 ? at.index : null, at?.side === 1 ? at.index : null);
  };

  const pointed = (event: Event) => {
    const at = positionOf(event.target);
    if (at !== null) draw(at);
  };
  place.addEventListener("pointerover", pointed);
  place.addEventListener("focusin", (event) => {
    const at = positionOf(event.target);
    if (at === null) return;
    sides[at.side]!.forEach((button, i) => (button.tabIndex = i === at.index ? 0 : -1));
    draw(at);
  });
  const left = () => draw(positionOf(document.activeElement));
  place.addEventListener("pointerleave", left);
  place.addEventListener("focusout", (event) => {
    if (positionOf(event.relatedTarget) === null) draw(null);
  });
  place.addEventListener("keydown", (event) => {
    const at = positionOf(event.target);
    if (at === null) return;
    if (event.key === "Escape") (event.target as HTMLElement).blur();
    const { side, index } = at;
    const other = Math.min(index, sides[1 - side]!.length - 1);
    const next = {
      ArrowUp: sides[side]![index - 1],
      ArrowDown: sides[side]![index + 1],
      ArrowLeft: side === 1 ? sides[0]![other] : undefined,
      ArrowRight: side === 0 ? sides[1]![other] : undefined,
      Home: sides[side]![0],
      End: sides[side]!.at(-1),
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
  });

  const build = ({ queries, keys }: ShownMap) => {
    const lists: HTMLElement[] = [];
    sides = [queries, keys].map((tokens, side) => {
      const list = document.createElement("ol");
      list.setAttribute("aria-label", side === 0 ? "queries" : "keys");
      lists.push(list);
      return tokens.map((token, i) => {
        const button = document.createElement("button");
        button.type = "button";
        button.tabIndex = i === 0 ? 0 : -1;
        const text = document.createElement("bdi");
        text.textContent = token;
        button.append(text);
        const item = document.createElement("li");
        item.append(button);
        list.append(item);
        return button;
      });
    });
    const height = HEIGHT * Math.max(queries.length, keys.length);
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
    svg.setAttribute("width", String(WIDTH));
    svg.setAttribute("height", String(height));
    const whole = document.createElement("div");
    whole.className = "lines";
    whole.append(lists[0]!, svg, lists[1]!);
    place.replaceChildren(whole);
  };

  /** What a screen reader says of a token: the three strongest of the other side. */
  const label = (token: string, verb: string, others: readonly (readonly [string, number])[]) =>
    `${token} ${verb} ${[...others]
      .sort(([, a], [, b]) => b - a)
      .slice(0, 3)
      .map(([other, weight]) => `${other} ${weight.toFixed(2)}`)
      .join(", ")}`;

  return {
    show: (map, drawing) => {
      const { weights, queries, keys } = map;
      const wanted = JSON.stringify([queries, keys]);
      if (wanted !== shape) build(map);
      shape = wanted;
      shown = { map, drawing };
      const at = (q: number, k: number) => weights[q * keys.length + k]!;
      sides[0]!.forEach((button, q) => {
        const others = keys.map((key, k) => [key, at(q, k)] as const);
        button.setAttribute("aria-label", label(queries[q]!, "looks at", others));
      });
      sides[1]!.forEach((button, k) => {
        const others = queries.map((query, q) => [query, at(q, k)] as const);
        button.setAttribute("aria-label", label(keys[k]!, "is looked at by", others));
      });
      draw(positionOf(document.activeElement));
    },
  };
}
