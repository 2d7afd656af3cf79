/** Options objects: defaults, and refusing what is no option, which would otherwise be ignored. */

/** Throws for keys that are not among `known`'s. */
export function refuseUnknown(name: string, options: object, known: object): void {
  const odd = Object.keys(options).find((key) => !(key in known));
  if (odd !== undefined)
    throw new Error(`${name}: unknown option "${odd}"; there are ${Object.keys(known).join(", ")}`);
}

/** Options with defaults for those left out. */
export function withDefaults<D extends object>(
  name: string,
  options: { readonly [K in keyof D]?: D[K] },
  defaults: D,
): D {
  if (typeof options !== "object" || options === null)
    throw new Error(
      `${name}: options must be an object such as { ${Object.keys(defaults)[0]!}: … }, got ${String(options)}`,
    );
  refuseUnknown(name, options, defaults);
  return { ...defaults, ...options };
}
