"use strict";
// One picture in a dialog: the comparison, the curve and the figures. The address names it, so it can be linked.
report.detail = (() => {
  const { element } = report;
  const dialog = document.getElementById("detail");
  const by = (id) => document.getElementById(id);
  const plot = by("curve");
  let current = null;

  function open(entry) {
    current = entry;
    if (!dialog.open) dialog.showModal();
    by("detail-title").textContent = entry.source;
    by("detail-line").replaceChildren(element("span", { class: `status ${entry.status}` }, entry.status), ` ${summary(entry)}`);
    by("detail-binds").textContent = entry.binds || entry.reason || "";
    by("detail-binds").dataset.binding = entry.binds && !entry.kept_original ? entry.binding : "none";
    by("detail-binds").hidden = !(entry.binds || entry.reason);
    report.compare.show(entry);
    draw(entry);
    by("probes").hidden = !entry.probes.length;
    by("probes").lastElementChild.replaceChildren(probeTable(entry));
    by("detail-facts").replaceChildren(...facts(entry));
    const order = report.table.shown();
    const place = order.indexOf(entry);
    by("previous").disabled = place <= 0;
    by("next").disabled = place < 0 || place === order.length - 1;
    dialog.querySelector(".body").scrollTop = 0;
    by("detail-title").focus();
  }

  function summary(entry) {
    if (entry.kept_original) return `original kept, ${report.size(entry.n_bytes)}`;
    if (entry.n_bytes === null) return entry.source_bytes === null ? "" : report.size(entry.source_bytes);
    const change = entry.saved_percent === null ? "" : `, ${report.percent(Math.abs(entry.saved_percent))} ${entry.saved_percent >= 0 ? "smaller" : "larger"}`;
    return `${entry.codec} QP ${entry.qp}, ${report.size(entry.source_bytes)} to ${report.size(entry.n_bytes)}${change}`;
  }

  function draw(entry) {
    plot.hidden = !entry.probes.length;
    if (entry.probes.length) {
      report.plots.whenLoaded(() => {
        if (current === entry) plot.setAttribute("aria-label", report.plots.curve(plot, entry));
      });
    }
  }

  function probeTable(entry) {
    const headings = ["QP", "SUR", "SMR", "SMR, classifiers", "SMR, detectors", "size"];
    const used = headings.map((_, column) => entry.probes.some((probe) => probe[column] !== null));
    const rows = [...entry.probes].sort((a, b) => a[0] - b[0]).map((probe) => {
      const texts = [String(probe[0]), ...probe.slice(1, 5).map(report.ratio), report.size(probe[5])];
      const picked = probe[0] === entry.qp;
      return element("tr", { class: picked ? "picked" : null, "aria-current": picked ? "true" : null },
        ...texts.filter((_, column) => used[column]).map((text) => element("td", { class: "number" }, text)));
    });
    return element("table", { class: "plain" },
      element("thead", {}, element("tr", {}, ...headings.filter((_, column) => used[column]).map((text) => element("th", { scope: "col", class: "number" }, text)))),
      element("tbody", {}, ...rows));
  }

  function facts(entry) {
    const { setup } = entry;
    const goal = (name) => (setup && setup.targets[name] ? ` (target ${setup.targets[name]})` : "");
    const native = Object.entries(entry.native || {}).filter(([key]) => key !== "qp").map(([key, value]) => `${key} ${value}`).join(", ");
    const rows = [
      ["Reason", entry.binds ? entry.reason : null],
      ["To try again", entry.retry],
      ["Source", entry.width ? `${entry.width}×${entry.height} ${entry.format}${entry.jpeg_quality ? `, quality ${entry.jpeg_quality}` : ""}` : null],
      ["In the codec's words", native || null],
      ["SUR", entry.sur === null ? null : report.ratio(entry.sur) + goal("sur")],
      ["SMR", entry.smr === null ? null : report.ratio(entry.smr) + goal("smr")],
      ["SMR, classifiers", entry.smr_classification === null ? null : report.ratio(entry.smr_classification)],
      ["SMR, detectors", entry.smr_detection === null ? null : report.ratio(entry.smr_detection)],
      ["Lower ends", entry.sur_low === null && entry.smr_low === null ? null : `SUR ${report.ratio(entry.sur_low)}, SMR ${report.ratio(entry.smr_low)}`],
      ["Bits a pixel", entry.bpp === null ? null : report.ratio(entry.bpp)],
      ["Work", entry.seconds === null ? null : `${report.count(entry.n_encodes)} encodes, ${report.seconds(entry.seconds)}`],
      ["Teachers", entry.evidence ? Object.entries(entry.evidence.teachers).map(([name, one]) => `${name} ${one.score.toFixed(2)} → SUR ${report.ratio(one.sur)}`).join(", ") : null],
      ["Machines that flip", entry.evidence ? `${entry.evidence.flipped.join(", ") || "none"} (of ${entry.evidence.n_counting})` : null],
      ["Finished", report.moment(entry.finished)],
      ...entry.warnings.map((index) => report.warnings[index]).filter((text) => text !== entry.reason).map((text) => ["Note", text]),
    ];
    return rows.filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)));
  }

  function step(by) {
    const order = report.table.shown();
    const next = order[order.indexOf(current) + by];
    if (next) history.replaceState(null, "", `#${encodeURIComponent(next.source)}`), open(next);
  }

  function followAddress() {
    const named = fromAddress();
    if (named) open(named);
    else if (dialog.open) dialog.close();
  }

  function fromAddress() {
    try {
      const name = decodeURIComponent(location.hash.slice(1));
      return report.entries.find((entry) => entry.source === name) || null;
    } catch {
      return null;
    }
  }

  function closed() {
    const last = current;
    current = null;
    report.compare.clear();
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
    const link = last && document.querySelector(`tr[data-index="${last.index}"] a`);
    if (link) link.focus();
  }

  function start() {
    by("close").addEventListener("click", () => dialog.close());
    by("previous").addEventListener("click", () => step(-1));
    by("next").addEventListener("click", () => step(1));
    dialog.addEventListener("close", closed);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "j") step(1);
      if (event.key === "k") step(-1);
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (current) draw(current); });
    window.addEventListener("hashchange", followAddress);
    followAddress();
  }

  return { start };
})();
