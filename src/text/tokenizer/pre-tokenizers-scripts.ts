/** Finds runs of one script, which JavaScript tells only as a property that a character has or has not. */

const SCRIPTS =
  "Common Latin Han Hangul Hiragana Katakana Cyrillic Arabic Hebrew Greek Devanagari Thai Inherited Adlam Ahom Anatolian_Hieroglyphs Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Coptic Cuneiform Cypriot Deseret Duployan Egyptian_Hieroglyphs Elbasan Ethiopic Georgian Glagolitic Gothic Grantha Gujarati Gurmukhi Hanunoo Hatran Imperial_Aramaic Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Kayah_Li Kharoshthi Khmer Khojki Khudawadi Lao Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Malayalam Mandaic Manichaean Marchen Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean New_Tai_Lue Newa Nko Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_South_Arabian Old_Turkic Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sora_Sompeng Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangut Telugu Thaana Tibetan Tifinagh Tirhuta Ugaritic Vai Warang_Citi Yi".split(
    " ",
  );

const patterns = SCRIPTS.map((script) => new RegExp(`\\p{Script=${script}}`, "u"));
const known = new Map<string, number>();

/** Number of a character's script; −1 for those that belong to any. */
function scriptOf(character: string): number {
  let script = known.get(character);
  if (script !== undefined) return script;
  script = patterns.findIndex((pattern) => pattern.test(character));
  const name = SCRIPTS[script];
  if (name === "Hiragana" || name === "Katakana" || character === "ー")
    script = SCRIPTS.indexOf("Han");
  if (character === " ") script = -1;
  if (known.size < 0x10000) known.set(character, script);
  return script;
}

/** Ranges of one script each; spaces and unknown characters belong to the run before, those before any run to none. */
export function scriptRuns(text: string): [start: number, end: number][] {
  const runs: [number, number][] = [];
  let at = 0;
  let last = -1;
  for (const character of text) {
    const script = scriptOf(character);
    if (script !== -1 && script !== last) {
      runs.push([at, text.length]);
      const before = runs.at(-2);
      if (before) before[1] = at;
      last = script;
    }
    at += character.length;
  }
  return runs;
}
