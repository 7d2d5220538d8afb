"use strict";
// Before and after in one frame, with a divider that a range input moves.
report.compare = (() => {
  const { element } = report;
  const place = document.getElementById("compare");

  function show(entry) {
    const { whole, cut, note, source, output } = entry.pictures;
    const links = element("p", { class: "links" },
      source ? element("a", { href: source, target: "_blank", rel: "noopener" }, "Source file") : null,
      output ? element("a", { href: output, target: "_blank", rel: "noopener" }, "Written file") : null);
    if (!whole) {
      const text = note || (entry.n_bytes === null ? "Nothing was written for this source." : "There is no written file to compare.");
      const original = shownAlone(entry);
      place.replaceChildren(...[original, element("p", { class: "nothing" }, text), links].filter(Boolean));
      return;
    }
    const frame = new Frame(entry, whole, cut);
    place.replaceChildren(frame.controls, frame.stage, frame.slider, links);
    frame.look("fit");
  }

  // The one picture there is, for an original that was kept.
  function shownAlone(entry) {
    const shows = ["jpeg", "png", "webp", "avif", "gif", "bmp"].includes(entry.format);
    if (!entry.pictures.source || !shows) return null;
    return element("div", { class: "stage alone" }, element("img", { src: entry.pictures.source, alt: `Source ${entry.source}` }));
  }

  class Frame {
    constructor(entry, whole, cut) {
      this.pairs = { whole, cut };
      this.before = element("img", { alt: `Original of ${entry.source}`, draggable: "false" });
      this.after = element("img", { alt: `Written file of ${entry.source}`, draggable: "false" });
      this.missing = element("p", { class: "nothing", hidden: "" }, "A picture could not be loaded: it was moved, or the page was.");
      this.divider = element("span", { class: "divider", "aria-hidden": "true" });
      this.layers = [element("div", { class: "layer" }, this.after), element("div", { class: "layer upper" }, this.before)];
      this.stage = element("div", { class: "stage", tabindex: "0", role: "group", "aria-label": "Pictures; when enlarged, arrow keys move them",
        style: `--aspect: ${entry.width} / ${entry.height}` },
        ...this.layers, this.divider, element("span", { class: "tag left" }, "original"), element("span", { class: "tag right" }, this.rightWords(entry)), this.missing);
      this.range = element("input", { type: "range", min: "0", max: "100", step: "0.5", value: "50", id: "split", "aria-label": "Divider between original and written file" });
      this.slider = element("div", { class: "slider" }, element("span", {}, "original"), this.range, element("span", {}, "written"));
      this.zooms = ["fit", "1", "2", "4"].map((zoom) =>
        element("button", { type: "button", "data-zoom": zoom, "aria-pressed": "false" }, zoom === "fit" ? "Fit" : `${Number(zoom) * 100} %`));
      this.apart = element("button", { type: "button", "aria-pressed": "false", title: "What differs, ten times as strong" }, "Difference ×10");
      this.cutNote = element("span", { class: "muted", hidden: "" }, cut ? "the part that differs most" : "");
      this.controls = element("div", { class: "controls", role: "group", "aria-label": "View" }, ...this.zooms, this.apart, this.cutNote);
      this.at = { x: 0, y: 0 };
      this.zoom = "fit";
      this.listen();
      this.split(50);
    }

    rightWords(entry) {
      return entry.qp === null ? "written" : `${entry.codec} QP ${entry.qp}`;
    }

    listen() {
      this.range.addEventListener("input", () => this.split(Number(this.range.value)));
      for (const button of this.zooms) button.addEventListener("click", () => this.look(button.dataset.zoom));
      this.apart.addEventListener("click", () => {
        const on = this.stage.classList.toggle("difference");
        this.apart.setAttribute("aria-pressed", String(on));
        this.range.disabled = on;
      });
      for (const image of [this.before, this.after]) {
        image.addEventListener("load", () => this.lay());
        image.addEventListener("error", () => { this.missing.hidden = false; });
      }
      this.stage.addEventListener("pointerdown", (event) => this.drag(event));
      this.stage.addEventListener("keydown", (event) => this.key(event));
      new ResizeObserver(() => this.lay()).observe(this.stage);
    }

    look(zoom) {
      this.zoom = zoom;
      for (const button of this.zooms) button.setAttribute("aria-pressed", String(button.dataset.zoom === zoom));
      const cut = zoom !== "fit" && this.pairs.cut;
      const pair = cut || this.pairs.whole;
      this.cutNote.hidden = !cut;
      this.missing.hidden = true;
      this.stage.classList.toggle("enlarged", zoom !== "fit");
      for (const [image, address] of [[this.before, pair.before], [this.after, pair.after]]) {
        if (image.getAttribute("src") !== address) image.src = address;
      }
      this.at = { x: 0, y: 0 };
      this.lay();
    }

    // Both pictures at the same place: fitted, or so large that one pixel of theirs is `zoom` of the screen's.
    lay() {
      const { naturalWidth: width, naturalHeight: height } = this.before;
      if (!width) return;
      const room = { width: this.stage.clientWidth, height: this.stage.clientHeight };
      const fitted = Math.min(room.width / width, room.height / height, this.zoom === "fit" ? 2 : Infinity);
      const scale = this.zoom === "fit" ? fitted : Number(this.zoom) / window.devicePixelRatio;
      const shown = { width: width * scale, height: height * scale };
      const slack = { x: Math.max(0, (shown.width - room.width) / 2), y: Math.max(0, (shown.height - room.height) / 2) };
      this.at = { x: Math.max(-slack.x, Math.min(slack.x, this.at.x)), y: Math.max(-slack.y, Math.min(slack.y, this.at.y)) };
      for (const image of [this.before, this.after]) {
        image.style.width = `${shown.width}px`;
        image.style.height = `${shown.height}px`;
        image.style.left = `${(room.width - shown.width) / 2 + this.at.x}px`;
        image.style.top = `${(room.height - shown.height) / 2 + this.at.y}px`;
      }
      this.edges = { left: Math.max(0, (room.width - shown.width) / 2 + this.at.x), width: Math.min(room.width, shown.width) };
      this.stage.classList.toggle("crisp", this.zoom !== "fit" && Number(this.zoom) > 1);
      this.split(Number(this.range.value));
    }

    // The divider, in percent of the picture's visible width.
    split(percent) {
      const room = this.stage.clientWidth || 1;
      const { left, width } = this.edges || { left: 0, width: room };
      this.stage.style.setProperty("--split", `${left + (width * percent) / 100}px`);
      this.range.value = percent;
      this.range.setAttribute("aria-valuetext", `original on the left ${Math.round(percent)} percent`);
    }

    drag(event) {
      if (event.button !== 0 || this.stage.classList.contains("difference")) return;
      const begun = { x: event.clientX, y: event.clientY, at: this.at };
      const box = this.stage.getBoundingClientRect();
      const onDivider = Math.abs(event.clientX - box.left - parseFloat(this.stage.style.getPropertyValue("--split"))) < 24;
      const pans = this.zoom !== "fit" && !onDivider;
      const move = (moved) => {
        if (pans) {
          this.at = { x: begun.at.x + moved.clientX - begun.x, y: begun.at.y + moved.clientY - begun.y };
          this.lay();
        } else {
          const { left, width } = this.edges;
          this.split(Math.max(0, Math.min(100, (100 * (moved.clientX - box.left - left)) / width)));
        }
      };
      this.stage.setPointerCapture(event.pointerId);
      this.stage.addEventListener("pointermove", move);
      const end = () => this.stage.removeEventListener("pointermove", move);
      this.stage.addEventListener("pointerup", end, { once: true });
      this.stage.addEventListener("pointercancel", end, { once: true });
      if (!pans) move(event);
    }

    key(event) {
      const steps = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };
      const step = steps[event.key];
      if (!step || this.zoom === "fit") return;
      event.preventDefault();
      this.at = { x: this.at.x + step[0], y: this.at.y + step[1] };
      this.lay();
    }
  }

  return { show, clear: () => place.replaceChildren() };
})();
