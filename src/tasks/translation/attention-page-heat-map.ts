/** The heat map of the page of attention: a table with a cell a weight. Written into the page as its source. */

import type { Drawing, ShownMap } from "./attention-page-script.ts";

/** Draws into `place`. */
export function heatMapView(place: HTMLElement): {
  show: (map: ShownMap, drawing: Drawing) => void;
} {
  /** With more keys, the cells have no room for their values. */
  const ROOMY = 16;
  let table = document.createElement("table");
  let shape = "";
  let cells: HTMLTableCellElement[][] = [];
  let rowHeads: HTMLTableCellElement[] = [];
  let columnHeads: HTMLTableCellElement[] = [];
  let current = { row: 0, column: 0 };
  let tell: Drawing["tell"] = () => undefined;

  const positionOf = (target: EventTarget | null) => {
    const cell = target instanceof Element ? target.closest("td") : null;
    const row = cells.findIndex((row) => row.includes(cell!));
    return row < 0 ? null : { row, column: cells[row]!.indexOf(cell!) };
  };

  /** Marks the tokens that a cell stands for; the column behind the keys holds the sums. */
  const mark = (at: { row: number; column: number } | null) => {
    rowHeads.forEach((head, i) => head.classList.toggle("marked", i === at?.row));
    columnHeads.forEach((head, i) => head.classList.toggle("marked", i === at?.column));
    if (at === null || at.column >= columnHeads.length - 1) tell(null, null);
    else tell(at.row, at.column);
  };

  const moveTo = (row: number, column: number) => {
    const next = cells[row]?.[column];
    if (next === undefined) return;
    cells[current.row]![current.column]!.tabIndex = -1;
    current = { row, column };
    next.tabIndex = 0;
  };

  place.addEventListener("keydown", (event) => {
    const { row, column } = current;
    const [rows, columns] = [cells.length, columnHeads.length];
    const next = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [event.ctrlKey ? 0 : row, 0],
      End: [event.ctrlKey ? rows - 1 : row, columns - 1],
    }[event.key];
    if (next === undefined || positionOf(event.target) === null) return;
    event.preventDefault();
    moveTo(next[0]!, next[1]!);
    cells[current.row]![current.column]!.focus();
  });
  place.addEventListener("focusin", (event) => {
    const at = positionOf(event.target);
    if (at === null) return;
    moveTo(at.row, at.column);
    mark(at);
  });
  place.addEventListener("pointerover", (event) => {
    const at = positionOf(event.target);
    if (at !== null) mark(at);
  });
  place.addEventListener("pointerleave", () => mark(positionOf(document.activeElement)));

  const headOf = (scope: string, token: string) => {
    const head = document.createElement("th");
    head.scope = scope;
    head.title = token;
    const text = document.createElement("bdi");
    text.textContent = token;
    head.append(text);
    return head;
  };

  const build = ({ queries, keys }: ShownMap) => {
    table = document.createElement("table");
    table.setAttribute("role", "grid");
    table.className = keys.length > ROOMY ? "map" : "map roomy";
    const header = table.createTHead().insertRow();
    header.insertCell();
    columnHeads = [...keys, "sum"].map((key) => headOf("col", key));
    header.append(...columnHeads);
    const body = table.createTBody();
    rowHeads = queries.map((query) => headOf("row", query));
    cells = rowHeads.map((head) => {
      const row = body.insertRow();
      row.append(head);
      return columnHeads.map((_, column) => {
        const cell = row.insertCell();
        cell.tabIndex = -1;
        cell.className = column === keys.length ? "sum" : "weight";
        return cell;
      });
    });
    current = { row: 0, column: 0 };
    moveTo(0, 0);
    place.replaceChildren(table);
  };

  return {
    show: (map, drawing) => {
      const { weights, queries, keys } = map;
      const wanted = JSON.stringify([queries, keys]);
      if (wanted !== shape) build(map);
      shape = wanted;
      tell = drawing.tell;
      table.setAttribute("aria-label", `Weights of ${drawing.name}; rows look at columns`);
      cells.forEach((row, q) => {
        let sum = 0;
        row.forEach((cell, k) => {
          if (k === keys.length) {
            const text = sum.toFixed(3);
            if (cell.textContent !== text) cell.textContent = text;
            return;
          }
          const weight = weights[q * keys.length + k]!;
          sum += weight;
          const colour = weight < drawing.threshold ? 0 : weight / drawing.scales[q]!;
          // Cells without text are not laid out anew, which would take long for thousands.
          if (keys.length > ROOMY) cell.setAttribute("aria-label", weight.toFixed(4));
          else cell.textContent = weight.toFixed(4);
          cell.style.setProperty("--weight", colour.toFixed(3));
          // Where ink must change its colour to be read, on the page's dark ground and on its light one.
          cell.classList.toggle("middling", colour > 0.6);
          cell.classList.toggle("strong", colour > 0.77);
          cell.classList.toggle("below", weight < drawing.threshold);
        });
      });
      const focused = positionOf(document.activeElement);
      if (focused !== null) mark(focused);
    },
  };
}
