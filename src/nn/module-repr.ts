/** Modules as text, as PyTorch prints them. */

import type { Module } from "./module.ts";

/** A float as Python writes it. */
export function pythonFloat(value: number): string {
  if (value === Infinity || value === -Infinity) return value > 0 ? "inf" : "-inf";
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return `${value}.0`;
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e16) return String(value);
  const [digits, exponent] = value.toExponential().split("e") as [string, string];
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

/** A boolean as Python writes it. */
export const pythonBool = (value: boolean): string => (value ? "True" : "False");

/** Sizes as Python writes tuples. */
export const pythonTuple = (sizes: readonly number[]): string =>
  sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(", ")})`;

const indented = (text: string): string => text.replaceAll("\n", "\n  ");

function block(name: string, extra: string, children: readonly string[]): string {
  const own = extra === "" ? [] : extra.split("\n");
  const lines = [...own, ...children];
  if (lines.length === 0) return `${name}()`;
  if (own.length === 1 && children.length === 0) return `${name}(${own[0]})`;
  return `${name}(\n  ${lines.join("\n  ")}\n)`;
}

/** Items of a list, neighbours with equal text as one. */
function items(texts: readonly string[]): string[] {
  const lines: string[] = [];
  for (let first = 0, next = 0; first < texts.length; first = next) {
    const text = texts[first]!;
    while (next < texts.length && texts[next] === text) next++;
    const count = next - first;
    lines.push(
      count === 1
        ? `(${first}): ${indented(text)}`
        : `(${first}-${next - 1}): ${count} x ${indented(text)}`,
    );
  }
  return lines;
}

/** A module and everything in it, line by line; arrays of modules as the ModuleLists that PyTorch has in their place. */
export function moduleRepr(module: Module): string {
  const children: string[] = [];
  const lists = new Map<string, string[]>();
  for (const [name, child] of module.namedChildren()) {
    const text = moduleRepr(child);
    const list = /^(.+)\.\d+$/.exec(name)?.[1];
    if (list === undefined) children.push(`(${name}): ${indented(text)}`);
    else if (lists.has(list)) lists.get(list)!.push(text);
    else {
      lists.set(list, [text]);
      children.push(list);
    }
  }
  const isList = module.constructor.name === "ModuleList";
  const lines = isList
    ? items(Array.from(module.namedChildren(), ([, child]) => moduleRepr(child)))
    : children.map((line) => {
        const texts = lists.get(line);
        return texts === undefined
          ? line
          : `(${line}): ${indented(block("ModuleList", "", items(texts)))}`;
      });
  return block(module.constructor.name, module.extraRepr(), lines);
}
