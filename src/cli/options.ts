/** Checks the values of command-line options. */
import { InvalidArgumentError } from "commander";

/** A parser of whole numbers within a range, both ends included. */
export function wholeNumber(low: number, high: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^[+-]?\d+$/.test(value) || number < low || number > high) {
      throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`);
    }
    return number;
  };
}

/** A parser of numbers above `low` and up to `high`. */
export function realNumber(low: number, high: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (value.trim() === "" || !(number > low && number <= high)) {
      throw new InvalidArgumentError(`Expected a number above ${low} and up to ${high}.`);
    }
    return number;
  };
}
