/** Finds what `JSON.parse` passes over in silence: an object that has one key twice, which may hide a tensor. */

/** The first key that some object in `json`, which must be valid JSON, has twice. */
export function duplicateKey(json: string): string | undefined {
  // Keys of each object that is open; null until it has one, and for an array.
  const open: (Set<string> | null)[] = [];
  let text = "";
  for (let i = 0; i < json.length; i++) {
    switch (json.charAt(i)) {
      case '"': {
        const start = i;
        for (i++; json[i] !== '"'; i++) if (json[i] === "\\") i++;
        text = json.slice(start, i + 1);
        break;
      }
      case ":": {
        const key = JSON.parse(text) as string;
        const keys = open.at(-1) ?? new Set();
        if (keys.has(key)) return key;
        open[open.length - 1] = keys.add(key);
        break;
      }
      case "{":
      case "[":
        open.push(null);
        break;
      case "}":
      case "]":
        open.pop();
        break;
    }
  }
  return undefined;
}
