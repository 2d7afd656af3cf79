/** Lays out tables for a terminal. */

/** Rows as aligned columns, two spaces apart; columns of numbers are aligned right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, c) => Math.max(...all.map((row) => widthOf(row[c] ?? ""))));
  const isNumeric = header.map((_, c) => rows.every((row) => /^[\d.,%–-]*$/.test(row[c] ?? "")));
  const line = (row: readonly string[]) =>
    row
      .map((cell, c) => {
        const padding = " ".repeat((widths[c] ?? 0) - widthOf(cell));
        return isNumeric[c] ? padding + cell : cell + padding;
      })
      .join("  ")
      .trimEnd();
  return [line(header), widths.map((w) => "─".repeat(w)).join("  "), ...rows.map(line)].join("\n");
}

/** Columns that a terminal gives a text: none to combining marks, two to wide East Asian signs and emoji. */
function widthOf(text: string): number {
  let width = 0;
  for (const sign of text) {
    if (/\p{M}|\p{Cf}/u.test(sign)) continue;
    width +=
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}]/u.test(
        sign,
      )
        ? 2
        : 1;
  }
  return width;
}
