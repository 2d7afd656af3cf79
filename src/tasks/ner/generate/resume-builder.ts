/** Writes a text piece by piece and records where its entities are, so that spans are right by construction. */
import type { Entity } from "../../../data/annotated.ts";

/** Line breaks of a document: real ones, or spaces, as left by tools that flatten a document to one line. */
export type LineBreak = "\n" | "\r\n" | "  ";

/** An append-only text with entities. */
export class ResumeBuilder {
  readonly #lineBreak: LineBreak;
  #text = "";
  readonly #entities: Entity[] = [];

  constructor(lineBreak: LineBreak) {
    this.#lineBreak = lineBreak;
  }

  /** Appends text; each `\n` in it becomes the document's line break. */
  add(text: string): this {
    this.#text += text.replaceAll("\n", this.#lineBreak);
    return this;
  }

  /** Appends an entity of one line. @throws RangeError when it is blank or has white space at an edge. */
  entity(label: string, text: string): this {
    if (text === "" || text !== text.trim() || text.includes("\n")) {
      throw new RangeError(`ResumeBuilder.entity: expected one trimmed line for a ${label}`);
    }
    const start = this.#text.length;
    this.#text += text;
    this.#entities.push({ label, start, end: this.#text.length });
    return this;
  }

  /** Appends `pattern` with each `{key}` replaced by what `slots[key]` appends. @throws RangeError for an unknown key. */
  fill(pattern: string, slots: Readonly<Record<string, () => unknown>>): this {
    for (const [i, piece] of pattern.split(/\{(\w+)\}/).entries()) {
      if (i % 2 === 0) this.add(piece);
      else {
        const slot = slots[piece];
        if (!slot) throw new RangeError(`ResumeBuilder.fill: no slot {${piece}}`);
        slot();
      }
    }
    return this;
  }

  /** Ends the current line, unless it is empty already. */
  endLine(): this {
    if (this.#text !== "" && !this.#text.endsWith(this.#lineBreak)) this.add("\n");
    return this;
  }

  /**
   * The text and its entities; with `width`, lines longer than that many characters are broken at spaces, also inside
   * entities, as PDF extraction does. A break replaces a space, so no offset moves.
   */
  build(width = Infinity): { text: string; entities: Entity[] } {
    if (this.#lineBreak !== "\n" || width === Infinity) {
      return { text: this.#text, entities: this.#entities };
    }
    const units = [...this.#text.split("")];
    let lineStart = 0;
    let lastSpace = -1;
    units.forEach((unit, i) => {
      if (unit === "\n") lineStart = i + 1;
      else if (unit === " " && i > lineStart) lastSpace = i;
      if (i - lineStart >= width && lastSpace > lineStart) {
        units[lastSpace] = "\n";
        lineStart = lastSpace + 1;
      }
    });
    return { text: units.join(""), entities: this.#entities };
  }
}
