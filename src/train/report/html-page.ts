/** The script of the report's page: it runs in the reader's browser and is written into the page as its own source. */

import type uPlotClass from "uplot";

/** What the page shows; it is in the page as JSON, where null stands for values that are not finite. */
export interface PageData {
  readonly runs: readonly { readonly name: string; readonly colour: string }[];
  /** One chart each; curves by run, null where a run has none. */
  readonly charts: readonly {
    readonly title: string;
    readonly curves: readonly ({
      readonly steps: readonly number[];
      readonly values: readonly (number | null)[];
    } | null)[];
  }[];
}

/** Draws the charts; nothing outside of this function exists in the page but the global `uPlot`. */
export function runPage(uPlot: typeof uPlotClass): void {
  const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
  const data = JSON.parse(element("data").textContent) as PageData;
  const smoothing = element<HTMLInputElement>("smoothing");
  const logScale = element<HTMLInputElement>("log");
  const hidden = new Set<number>();
  let plots: uPlotClass[] = [];

  const format = (value: number | null | undefined) =>
    value == null ? "–" : String(Number(value.toPrecision(5)));

  /** Moving averages, corrected for their beginning at nothing. */
  const smooth = (values: readonly (number | null)[], weight: number) => {
    let [sum, weights] = [0, 0];
    return values.map((value) => {
      if (value === null) return null;
      sum = sum * weight + (1 - weight) * value;
      weights = weights * weight + (1 - weight);
      return sum / weights;
    });
  };

  /** The wheel with Ctrl zooms about the pointer; dragging with Shift moves what is seen; dragging marks what to see. */
  const navigation = (): uPlotClass.Plugin => ({
    hooks: {
      ready: (u) => {
        const { over } = u;
        const limits = () => {
          const steps = u.data[0];
          return [steps[0] ?? 0, steps.at(-1) ?? 1] as const;
        };
        const show = (from: number, to: number) => {
          const [low, high] = limits();
          const span = Math.min(to - from, high - low);
          const min = Math.max(low, Math.min(from, high - span));
          u.setScale("x", { min, max: min + span });
        };
        over.addEventListener("wheel", (event) => {
          // Without Ctrl the wheel scrolls the page; fingers that spread count as Ctrl with the wheel.
          if (!event.ctrlKey && !event.metaKey) return;
          event.preventDefault();
          const { min = 0, max = 1 } = u.scales["x"] ?? {};
          const share = event.offsetX / over.clientWidth;
          const factor = event.deltaY < 0 ? 0.8 : 1.25;
          const middle = u.posToVal(event.offsetX, "x");
          const span = (Number(max) - Number(min)) * factor;
          show(middle - share * span, middle + (1 - share) * span);
        });
        over.addEventListener(
          "mousedown",
          (event) => {
            if (!event.shiftKey) return;
            event.stopImmediatePropagation();
            event.preventDefault();
            const [x, min, max] = [event.clientX, u.scales["x"]!.min!, u.scales["x"]!.max!];
            const move = (moved: MouseEvent) => {
              const by = ((x - moved.clientX) / over.clientWidth) * (max - min);
              show(min + by, max + by);
            };
            document.addEventListener("mousemove", move);
            const end = () => document.removeEventListener("mousemove", move);
            document.addEventListener("mouseup", end, { once: true });
          },
          { capture: true },
        );
      },
    },
  });

  const draw = () => {
    const weight = Number(smoothing.value);
    element("weight").textContent = weight.toFixed(2);
    const isLog = logScale.checked;
    const ink = getComputedStyle(document.body).color;
    const seen = plots.map(({ scales }) => [scales["x"]?.min, scales["x"]?.max] as const);
    for (const plot of plots) plot.destroy();
    plots = data.charts.map(({ title, curves }, c) => {
      const tables: uPlotClass.AlignedData[] = [];
      const series: uPlotClass.Series[] = [{ label: "step" }];
      curves.forEach((curve, run) => {
        if (curve === null) return;
        const { name, colour } = data.runs[run]!;
        const values = isLog
          ? curve.values.map((v) => (v !== null && v > 0 ? v : null))
          : curve.values;
        const points = { show: curve.steps.length < 2 };
        const shared = {
          spanGaps: true,
          points,
          show: !hidden.has(run),
          value: (_: uPlotClass, value: number | null) => format(value),
        };
        if (weight > 0) {
          tables.push([curve.steps, values] as unknown as uPlotClass.AlignedData);
          series.push({ ...shared, label: `${name}, as it is`, stroke: `${colour}40`, width: 1 });
        }
        const line = weight > 0 ? smooth(values, weight) : values;
        tables.push([curve.steps, line] as unknown as uPlotClass.AlignedData);
        series.push({ ...shared, label: name, stroke: colour, width: 2 });
      });
      const place = element(`chart${c}`);
      const axis = { stroke: ink, grid: { stroke: "#88888840" }, ticks: { stroke: "#88888880" } };
      const plot = new uPlot(
        {
          title,
          width: place.clientWidth,
          height: 320,
          series,
          axes: [
            axis,
            {
              ...axis,
              size: 70,
              values: (_, ticks) =>
                (ticks as (number | null)[]).map((tick) => (tick === null ? "" : format(tick))),
            },
          ],
          scales: { x: { time: false }, y: { distr: isLog ? 3 : 1 } },
          cursor: { sync: { key: "step", setSeries: false } },
          plugins: [navigation()],
        },
        tables.length > 0 ? uPlot.join(tables) : [[]],
        place,
      );
      const [min, max] = seen[c] ?? [];
      if (typeof min === "number" && typeof max === "number") plot.setScale("x", { min, max });
      return plot;
    });
  };

  data.runs.forEach((_, run) => {
    const box = element<HTMLInputElement>(`run${run}`);
    box.addEventListener("change", () => {
      if (box.checked) hidden.delete(run);
      else hidden.add(run);
      draw();
    });
  });
  smoothing.addEventListener("input", draw);
  logScale.addEventListener("change", draw);
  window.addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
}
