/** Checks the values of command-line options. */
import { InvalidArgumentError } from "commander";
import type { Every } from "../train/trainer-options.ts";

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

/** A parser of numbers within a range, both ends included. */
export function numberWithin(low: number, high: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (value.trim() === "" || !(number >= low && number <= high)) {
      throw new InvalidArgumentError(`Expected a number from ${low} to ${high}.`);
    }
    return number;
  };
}

/** A parser of a share that is not all. */
export function belowOne(value: string): number {
  const number = Number(value);
  if (value.trim() === "" || !(number >= 0 && number < 1))
    throw new InvalidArgumentError("Expected a number from 0 to below 1.");
  return number;
}

/** A parser of how often: a number of steps, or `epoch`. */
export function every(value: string): Every {
  if (value === "epoch") return value;
  if (!/^\d+$/.test(value) || !(Number(value) >= 1 && Number(value) <= 1e9)) {
    throw new InvalidArgumentError('Expected a whole number from 1 to 1000000000, or "epoch".');
  }
  return Number(value);
}

/** A parser of the address of a server. */
export function httpAddress(value: string): string {
  if (!/^https?:\/\/./.test(value) || !URL.canParse(value)) {
    throw new InvalidArgumentError("Expected an address such as http://localhost:5000.");
  }
  return value;
}
