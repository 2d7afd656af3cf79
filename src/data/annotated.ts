/** What an annotated document is: a text and labelled spans of it, the form all readers produce. */

/** A labelled piece of a text. Offsets are UTF-16 code units, `end` exclusive, so that `text.slice(start, end)` is it. */
export interface Entity {
  readonly label: string;
  readonly start: number;
  readonly end: number;
}

/** A document with entities sorted by offset, none overlapping another, none with white space at an edge. */
export interface AnnotatedDocument {
  /** Which record of its source this is: `line 12`, `entry cvs/7.xml`, `generated 3`. */
  readonly id: string;
  readonly text: string;
  readonly entities: readonly Entity[];
}
