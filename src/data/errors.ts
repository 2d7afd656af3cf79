/** The one error that readers of data throw, so that a caller can tell bad input from a defect of the program. */

/** Where in the input something is wrong. */
export interface DataLocation {
  /** Path of the file as the user gave it. */
  readonly file: string;
  /** Which record: `line 12` (1-based) or `entry cvs/7.xml`. */
  readonly record?: string | undefined;
  /** Which field of the record, for instance `annotation[3].points[0].start`. */
  readonly field?: string | undefined;
}

/**
 * Input that cannot be used. The message names file, record and field, what was expected and what to do; it never
 * quotes the content of a document, since that may be personal data.
 */
export class DataError extends Error {
  override readonly name = "DataError";
  readonly location: DataLocation;

  constructor(location: DataLocation, problem: string, options?: ErrorOptions) {
    const where = [location.file, location.record, location.field && `field ${location.field}`];
    super(`${where.filter(Boolean).join(", ")}: ${problem}`, options);
    this.location = location;
  }
}
