"use strict";
// The table: sorted by its headings, filtered by the form above it, its rows made as they come into view.
report.table = (() => {
  const CHUNK = 150;
  const { element } = report;

  const target = (entry, name) => (entry.setup ? entry.setup.targets[name] : 0);
  const ratioCell = (name) => (entry) => {
    const missed = entry[name] !== null && entry[name] < target(entry, name);
    return element("span", { class: missed ? "missed" : null, title: missed ? "below its target" : null }, report.ratio(entry[name]));
  };
  const columns = [
    { key: "source", label: "Picture" },
    { key: "status", label: "Status", cell: (entry) => element("span", { class: `status ${entry.status}` }, entry.status) },
    { key: "codec", label: "Codec", minor: true, only: () => distinct("codec").length > 1 },
    { key: "qp", label: "QP", numeric: true, cell: (entry) => (entry.kept_original ? "original" : report.count(entry.qp)) },
    { key: "sur", label: "SUR", numeric: true, cell: ratioCell("sur") },
    { key: "smr", label: "SMR", numeric: true, cell: ratioCell("smr") },
    { key: "source_bytes", label: "Before", numeric: true, minor: true, cell: (entry) => report.size(entry.source_bytes) },
    { key: "n_bytes", label: "After", numeric: true, cell: (entry) => report.size(entry.n_bytes) },
    { key: "saved_percent", label: "Saved", numeric: true, cell: saved },
    { key: "binding", label: "Binds", minor: true, cell: (entry) => (entry.probes.length && !entry.kept_original ? report.bindingWords[entry.binding] : null) || "–" },
    { key: "n_encodes", label: "Encodes", numeric: true, minor: true, cell: (entry) => report.count(entry.n_encodes) },
    { key: "seconds", label: "Time", numeric: true, minor: true, cell: (entry) => report.seconds(entry.seconds) },
  ].filter((column) => !column.only || column.only());

  const table = document.getElementById("table");
  const [head, body] = [table.tHead, table.tBodies[0]];
  const find = document.getElementById("find");
  const choices = ["status", "binding", "codec"].map((key) => ({ key, select: document.getElementById(key) }));
  const more = document.getElementById("more");
  const count = document.getElementById("count");

  // Minor columns make way on a narrow screen.
  const kindOf = ({ numeric, minor }) => [numeric && "number", minor && "minor"].filter(Boolean).join(" ") || null;

  let order = { key: "source", falling: false };
  let shown = [];
  let nRows = 0;

  function distinct(key) {
    return [...new Set(report.entries.map((entry) => entry[key]).filter((value) => value !== null))].sort();
  }

  function saved(entry) {
    if (entry.saved_percent === null) return "–";
    const share = Math.max(0, Math.min(100, entry.saved_percent));
    return element("span", { class: "saved", style: `--share: ${share}%` }, report.percent(entry.saved_percent));
  }

  const collator = new Intl.Collator("en", { numeric: true });

  // Sources without a value stand last, whichever way the others run.
  function compare(one, other) {
    const [a, b] = [one[order.key], other[order.key]];
    if (a === null || b === null) return (a === null) - (b === null) || one.index - other.index;
    const rising = typeof a === "number" ? a - b : collator.compare(a, b);
    return (order.falling ? -rising : rising) || one.index - other.index;
  }

  function update() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = choices.filter(({ select }) => select.value);
    shown = report.entries
      .filter((entry) => wanted.every(({ key, select }) => entry[key] === select.value))
      .filter((entry) => words.every((word) => entry.source.toLowerCase().includes(word)))
      .sort(compare);
    body.replaceChildren();
    nRows = 0;
    table.setAttribute("aria-rowcount", shown.length + 1);
    append();
    count.textContent =
      shown.length === report.entries.length
        ? `${report.count(shown.length)} ${shown.length === 1 ? "picture" : "pictures"}`
        : `${report.count(shown.length)} of ${report.count(report.entries.length)} pictures`;
    if (!shown.length) {
      body.append(element("tr", {}, element("td", { colspan: columns.length, class: "none" }, "No picture fits these filters.")));
    }
  }

  function append() {
    const rows = shown.slice(nRows, nRows + CHUNK).map((entry, offset) => row(entry, nRows + offset + 2));
    nRows += rows.length;
    body.append(...rows);
    more.hidden = nRows >= shown.length;
    more.textContent = `Show more (${report.count(shown.length - nRows)} left)`;
  }

  function row(entry, place) {
    const cells = columns.slice(1).map((column) =>
      element("td", { class: kindOf(column) }, column.cell ? column.cell(entry) : entry[column.key] ?? "–"),
    );
    const link = element("a", { href: `#${encodeURIComponent(entry.source)}`, class: "path" }, entry.source);
    return element("tr", { "aria-rowindex": place, "data-index": entry.index }, element("th", { scope: "row" }, link), ...cells);
  }

  function sortBy(key) {
    order = { key, falling: order.key === key && !order.falling };
    for (const heading of head.rows[0].cells) {
      const sorted = heading.dataset.key === key;
      if (sorted) heading.setAttribute("aria-sort", order.falling ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    }
    update();
  }

  function fill() {
    const headings = columns.map((column) =>
      element("th", { scope: "col", "data-key": column.key, class: kindOf(column), "aria-sort": column.key === order.key ? "ascending" : null },
        element("button", { type: "button" }, column.label)),
    );
    head.append(element("tr", { "aria-rowindex": 1 }, ...headings));
    for (const { key, select } of choices) {
      const values = distinct(key);
      select.append(...values.map((value) => element("option", { value }, (key === "binding" && report.bindingWords[value]) || value)));
      if (values.length < 2) select.parentElement.hidden = true;
    }
  }

  function start() {
    fill();
    head.addEventListener("click", (event) => {
      const heading = event.target.closest("th");
      if (heading && event.target.closest("button")) sortBy(heading.dataset.key);
    });
    // The whole row opens for a pointer; a keyboard has the link.
    body.addEventListener("click", (event) => {
      const clicked = event.target.closest("tr[data-index]");
      if (clicked && !event.target.closest("a") && !String(window.getSelection())) {
        clicked.querySelector("a").click();
      }
    });
    const form = document.getElementById("filters");
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", update);
    form.addEventListener("reset", () => setTimeout(update));
    for (const button of document.querySelectorAll("[data-show-status]")) {
      button.addEventListener("click", () => {
        form.reset();
        document.getElementById("status").value = button.dataset.showStatus;
        update();
        document.getElementById("results").scrollIntoView();
        document.getElementById("status").focus({ preventScroll: true });
      });
    }
    more.addEventListener("click", () => {
      const first = nRows;
      append();
      body.rows[first].querySelector("a").focus();
    });
    new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting) && !more.hidden) append();
    }, { rootMargin: "600px" }).observe(more);
    // Long before a name is clicked the pointer or the focus is there.
    for (const kind of ["pointerover", "focusin"]) table.addEventListener(kind, report.plots.load, { once: true });
    update();
  }

  return { start, shown: () => shown };
})();
