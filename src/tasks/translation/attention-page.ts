/** Writes the attention of a sentence pair as one HTML page that needs nothing else: every layer and head, to look into. */

import { escapeXml } from "../../train/report/svg.ts";
import { packedAttention, type PageData } from "./attention-page-data.ts";
import { heatMapView } from "./attention-page-heat-map.ts";
import { lineView } from "./attention-page-lines.ts";
import { overviewView } from "./attention-page-overview.ts";
import { runAttentionPage, visibleToken } from "./attention-page-script.ts";
import { STYLE } from "./attention-page-style.ts";
import type { PairAttention } from "./pair-attention.ts";

export type { AttentionMaps, PairAttention } from "./pair-attention.ts";

/** Options of {@link attentionPage}. */
export interface AttentionPageOptions {
  /** Heading of the page; `Attention` unless given. */
  readonly title?: string;
}

/**
 * The page as HTML: an overview of all layers and heads, a heat map with the value of every weight, and lines between the
 * tokens. It shows weights to a precision of 1/65535 (2 bytes each), which makes about 1.4 MB of 60 tokens on either side,
 * 6 layers and 8 heads. A file of it works in any browser, without a network.
 *
 * @throws RangeError where the number of weights does not fit the tokens, or a weight is not between 0 and 1.
 */
export function attentionPage(
  attention: PairAttention,
  { title = "Attention" }: AttentionPageOptions = {},
): string {
  const data = packedAttention(attention);
  const { sourceText, targetText } = attention;
  // A decoder alone has no source.
  const source = sourceText === "" ? "" : text("Source", sourceText);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
</head>
<body translate="no">
<header>
<h1>${escapeXml(title)}</h1>
<dl class="texts">${source}${text("Target", targetText)}</dl>
</header>
<noscript><p>This page draws its charts with JavaScript, which is off in this browser.</p></noscript>
<main>
<fieldset class="controls"><legend>Kind</legend>${radios(
    "kind",
    data.kinds.map(({ name, title }) => [name, title]),
  )}</fieldset>
<section aria-labelledby="overview-title">
<h2 id="overview-title">Layers and heads</h2>
<p class="hint">Rows of a picture are queries, columns are keys. Below it stands the mean entropy of its rows, in bits: 0 where every query looks at one key, <span id="most"></span> where it looks at all keys alike. Choose a picture to see it below; the arrow keys move among them.</p>
<div class="scroll" id="overview"></div>
</section>
<section aria-labelledby="chosen">
<h2 id="chosen"></h2>
<div class="controls">
<span role="radiogroup" aria-label="View">${radios("view", [
    ["map", "heat map"],
    ["lines", "lines"],
  ])}</span>
<label><input type="checkbox" id="mean"> mean of the heads</label>
<label>threshold <input type="range" id="threshold" min="0" max="0.9" step="0.01" value="0"> <output id="threshold-value" for="threshold"></output></label>
<label>colours <select id="scale"><option value="map">up to the largest weight</option><option value="row">up to the largest of each row</option><option value="one">up to 1</option></select></label>
<label id="naming-label">queries named by <select id="naming"><option value="predicted">the token written</option><option value="target">the token read</option></select></label>
</div>
<p id="readout" class="readout"></p>
<div class="scroll tall" id="map"></div>
<div class="scroll" id="lines" hidden></div>
</section>
</main>
<script type="application/json" id="data">${jsonInHtml(data)}</script>
<script>
// Compilers that keep the names of functions call this.
const __name = (f) => f;
(${runAttentionPage.toString()})({
  visibleToken: ${visibleToken.toString()},
  overviewView: ${overviewView.toString()},
  heatMapView: ${heatMapView.toString()},
  lineView: ${lineView.toString()},
});
</script>
</body>
</html>
`;
}

const text = (name: string, value: string): string =>
  `<div><dt>${name}</dt><dd dir="auto">${escapeXml(value)}</dd></div>`;

/** A group of choices by value and label, of which the first is chosen. */
const radios = (name: string, choices: readonly (readonly [string, string])[]): string =>
  choices
    .map(
      ([value, label], i) =>
        `<label><input type="radio" name="${name}" value="${value}"${i === 0 ? " checked" : ""}> ${label}</label>`,
    )
    .join("\n");

/** JSON that cannot end the script that it stands in. */
const jsonInHtml = (data: PageData): string => JSON.stringify(data).replaceAll("<", "\\u003c");
