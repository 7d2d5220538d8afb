"use strict";
// Curves, drawn by plotly, which is loaded when the first one is wanted.
report.plots = (() => {
  const { element } = report;
  const waiting = [];
  let state = "absent";

  function whenLoaded(draw) {
    if (state === "loaded") draw();
    else if (state !== "failed") waiting.push(draw);
    load();
  }

  function load() {
    if (state !== "absent") return;
    state = "loading";
    const script = element("script", { src: report.plotting, ".async": true });
    script.addEventListener("load", () => {
      state = "loaded";
      waiting.splice(0).forEach((draw) => draw());
    });
    script.addEventListener("error", () => {
      state = "failed";
      waiting.length = 0;
      for (const plot of document.querySelectorAll(".plot")) {
        plot.replaceChildren(element("p", { class: "muted" }, `The plots need ${report.plotting} beside this page.`));
      }
    });
    document.head.append(script);
  }

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  function layout(more) {
    const axis = {
      gridcolor: colour("line"), linecolor: colour("line"), zerolinecolor: colour("line"),
      tickcolor: colour("line"), automargin: true, fixedrange: true,
    };
    const { xaxis = {}, yaxis = {}, yaxis2, ...rest } = more;
    return {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("muted") },
      hoverlabel: { bgcolor: colour("surface"), bordercolor: colour("line"), font: { color: colour("text") } },
      margin: { l: 8, r: 8, t: 8, b: 8 },
      showlegend: false,
      ...rest,
      xaxis: { ...axis, ...xaxis },
      yaxis: { ...axis, ...yaxis },
      ...(yaxis2 ? { yaxis2: { ...axis, ...yaxis2 } } : {}),
    };
  }

  const config = { displayModeBar: false, responsive: true };

  function line(x0, x1, y0, y1, stroke, more = {}) {
    return { type: "line", x0, x1, y0, y1, line: { color: stroke, width: 1.5, ...more.line }, ...more.place };
  }

  function curve(place, entry) {
    const probes = [...entry.probes].sort((a, b) => a[0] - b[0]);
    const qps = probes.map((probe) => probe[0]);
    const { targets, search } = entry.setup;
    const series = (name, column, axis, more = {}) => ({
      type: "scatter", mode: "lines+markers", name, x: qps, y: probes.map((probe) => probe[column]), yaxis: axis,
      line: { color: colour(more.colour), width: 2 }, marker: { size: qps.map((qp) => (qp === entry.qp ? 11 : 7)), symbol: more.symbol, opacity: 1, line: { width: 0 } },
      hovertemplate: `QP %{x}: ${name} %{y:${more.format || ".3f"}}${more.unit || ""}<extra></extra>`, connectgaps: false,
    });
    const traces = [
      series("SUR", 1, "y", { colour: "sur", symbol: "circle" }),
      series("SMR", 2, "y", { colour: "smr", symbol: "diamond" }),
      series("size", 5, "y2", { colour: "bytes", symbol: "square", format: "~s", unit: "B" }),
    ].filter((trace) => trace.y.some((value) => value !== null));
    const shapes = [];
    const annotations = [];
    const across = { xref: "paper" };
    // Their labels stand beside the plot, and move apart where the targets are close.
    const crowded = targets.sur && targets.smr && Math.abs(targets.sur - targets.smr) < 0.1;
    for (const name of ["sur", "smr"]) {
      if (!targets[name]) continue;
      const upper = targets[name] >= targets[name === "sur" ? "smr" : "sur"];
      shapes.push(line(0, 1, targets[name], targets[name], colour(name), { line: { dash: "dash", width: 1 }, place: across }));
      annotations.push({
        x: 1, xref: "paper", xanchor: "left", xshift: 3, y: targets[name], yshift: crowded ? (upper ? 6 : -6) : 0,
        text: `${name.toUpperCase()} ≥ ${targets[name]}`, showarrow: false, font: { size: 11, color: colour(name) },
      });
    }
    if (search.max_bytes) shapes.push(line(0, 1, search.max_bytes, search.max_bytes, colour("bytes"), { line: { dash: "dash", width: 1 }, place: { ...across, yref: "y2" } }));
    if (entry.qp !== null) {
      shapes.push(line(entry.qp, entry.qp, 0, 1, colour("text"), { place: { yref: "paper" } }));
      annotations.push({ x: entry.qp, y: 1, yref: "paper", yanchor: "bottom", text: `<b>picked: QP ${entry.qp}</b>`, showarrow: false, font: { color: colour("text") } });
    }
    const shape = layout({
      shapes, annotations, height: 400, showlegend: true, hovermode: "closest",
      legend: { orientation: "h", y: -0.2, yanchor: "top", x: 0 }, margin: { l: 8, r: 76, t: 28, b: 8 },
      xaxis: { title: { text: "QP (quality falls to the right)", standoff: 6 }, anchor: "y2", nticks: 10, tickformat: "d" },
      yaxis: { domain: [0.42, 1], range: [-0.03, 1.05], title: { text: "satisfied share" }, tickvals: [0, 0.25, 0.5, 0.75, 1] },
      yaxis2: { domain: [0, 0.34], type: "log", title: { text: "bytes" }, tickformat: ".3~s", tickvals: sizeTicks(probes.map((probe) => probe[5])) },
    });
    // Not updated in place, which would keep the width that the last one had.
    Plotly.newPlot(place, traces, shape, config);
    return describe(entry, probes);
  }

  // The finest round values that keep clear of each other; the library's own crowd on a logarithmic axis.
  function sizeTicks(sizes) {
    const [low, high] = [Math.min(...sizes), Math.max(...sizes)];
    const apart = Math.log10(high / low) / 6;
    const halves = Array.from({ length: 18 }, (_, number) => 1 + number / 2);
    const ticksOf = (steps) => {
      const powers = Array.from({ length: 12 }, (_, power) => 10 ** power);
      return powers.flatMap((power) => steps.map((step) => step * power)).filter((tick) => tick >= low && tick <= high);
    };
    const clear = (ticks) => ticks.every((tick, number) => !number || Math.log10(tick / ticks[number - 1]) >= apart);
    const ticks = [halves, [1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]].map(ticksOf).find(clear) || [];
    return ticks.length > 1 ? ticks : [...new Set([low, high])];
  }

  function describe(entry, probes) {
    const ends = [probes[0], probes[probes.length - 1]];
    const say = (name, column) => `${name} ${report.ratio(ends[0][column])} to ${report.ratio(ends[1][column])}`;
    const parts = [say("SUR", 1), say("SMR", 2), `${report.size(ends[0][5])} to ${report.size(ends[1][5])}`];
    const picked = entry.qp === null ? "nothing picked" : `picked QP ${entry.qp}`;
    return `Curve over ${probes.length} rungs from QP ${ends[0][0]} to QP ${ends[1][0]}: ${parts.join(", ")}; ${picked}.`;
  }

  return { load, whenLoaded, curve };
})();
