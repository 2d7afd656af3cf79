/** Numbers with a given count of digits, rounded as C and Python do: an exact half goes to the even digit, zeros keep signs. */

/** Digits beyond which no double that is a half of some digit has any. */
const MANY = 100;

const signed = (x: number, text: string): string => (x < 0 || Object.is(x, -0) ? `-${text}` : text);

/** Whether the digits cut off are exactly one half, and the last digit kept is even: then JavaScript rounds up wrongly. */
const halfToEven = (kept: string, cut: string): boolean =>
  /^50*$/.test(cut) && /[02468]$/.test(kept.replace(".", ""));

/** As Python's `{x:.{digits}f}`. */
export function fixed(x: number, digits: number): string {
  const size = Math.abs(x);
  if (size >= 1e21)
    return signed(x, `${BigInt(size)}${digits > 0 ? `.${"0".repeat(digits)}` : ""}`);
  const exact = size.toFixed(MANY);
  const point = exact.indexOf(".");
  const kept = exact.slice(0, digits === 0 ? point : point + 1 + digits);
  return signed(x, halfToEven(kept, exact.slice(point + 1 + digits)) ? kept : size.toFixed(digits));
}

/** As Python's `{x:.{digits}e}`. */
export function exponential(x: number, digits: number): string {
  const size = Math.abs(x);
  const [mantissa] = size.toExponential(MANY).split("e");
  const [rounded, exponent] = size.toExponential(digits).split("e");
  const kept = mantissa!.slice(0, digits === 0 ? 1 : 2 + digits);
  const power = exponent!.replace(/^([+-])(\d)$/, "$10$2");
  return signed(x, `${halfToEven(kept, mantissa!.slice(2 + digits)) ? kept : rounded!}e${power}`);
}
