/** Programs are kept until they are too much: the least recently used go first, the one in use never. */
import { expect, test } from "vitest";
import { Programs } from "../../src/models/programs.ts";

const MB = 2 ** 20;

test("the least recently used make room", () => {
  const programs = new Programs<{ decode: { bytes: number } }>();
  const made: string[] = [];
  const get = (key: string, bytes: number) =>
    programs.get(key, () => {
      made.push(key);
      return { decode: { bytes } };
    });
  get("a", 200 * MB);
  const b = get("b", 200 * MB);
  get("a", 0);
  b.decode.bytes += 100 * MB; // grown while it was used
  get("c", 100 * MB); // 600 MB with b, 300 MB without
  expect(made).toEqual(["a", "b", "c"]);
  get("a", 0);
  get("c", 0);
  expect(made).toEqual(["a", "b", "c"]);
  get("b", 900 * MB);
  expect(made).toEqual(["a", "b", "c", "b"]);
  get("b", 0);
  expect(made.length).toBe(4);
  get("a", 0);
  expect(made.at(-1)).toBe("a");
  programs.clear();
  get("a", 0);
  expect(made.length).toBe(6);
});
