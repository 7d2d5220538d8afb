"use strict";
// What the page knows, and how it says numbers.
const report = (() => {
  const holder = document.getElementById("payload");
  const payload = JSON.parse(holder.textContent);
  payload.entries.forEach((entry, index) => {
    entry.index = index;
    entry.setup = entry.settings === null ? null : payload.settings[entry.settings];
    entry.codec = entry.setup && entry.setup.codec ? entry.setup.codec.id : null;
  });

  const grouped = new Intl.NumberFormat("en");

  function size(bytes) {
    if (bytes === null) return "–";
    if (Math.abs(bytes) < 1000) return `${bytes} B`;
    const units = ["kB", "MB", "GB", "TB"];
    let value = bytes / 1000;
    let unit = 0;
    while (Math.abs(value) >= 999.95 && unit < units.length - 1) {
      value /= 1000;
      unit += 1;
    }
    return `${value.toFixed(1)} ${units[unit]}`;
  }

  const fixed = (digits) => (value) => (value === null ? "–" : value.toFixed(digits));

  const moment = (iso) => (iso === null ? null : iso.slice(0, 16).replace("T", " ") + (iso.endsWith("+00:00") ? " UTC" : ""));

  // An element with attributes, properties that begin with a dot, and children; text is never read as HTML.
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith(".")) made[key.slice(1)] = value;
      else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  return {
    ...payload,
    plotting: holder.dataset.plotting,
    count: (value) => (value === null ? "–" : grouped.format(value)),
    ratio: fixed(3),
    percent: (value) => (value === null ? "–" : `${value.toFixed(1)} %`),
    seconds: (value) => (value === null ? "–" : `${value.toFixed(value < 10 ? 2 : 0)} s`),
    size,
    moment,
    element,
    bindingWords: { sur: "viewers (SUR)", smr: "machines (SMR)", range: "end of the range", max_bytes: "byte limit" },
  };
})();
