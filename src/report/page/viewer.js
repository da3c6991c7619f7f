"use strict";
// Scrolls and zooms hours of signal; what is drawn depends on the width in pixels alone. The numbers
// come from signals.js.
(() => {
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const byId = (id) => document.getElementById(id);
  const canvas = byId("v-canvas");
  if (!data.viewer || !canvas) return;
  const overview = byId("v-overview"), readout = byId("v-readout"), caption = byId("v-text");
  const recordings = data.viewer.recordings;
  const {Track, Runs, differences, NONE} = sondeSignals;

  const opened = new Map();
  function open(r) {
    if (!opened.has(r)) {
      const spec = {...recordings[r]};
      spec.timed = spec.frequency > 0;  // else time is counted in steps
      spec.frequency ||= 1;
      const labels = spec.labels && new Runs(spec.labels, spec.steps);
      const predicted = spec.predicted && new Runs(spec.predicted, spec.steps);
      opened.set(r, {
        spec, labels, predicted,
        wrong: labels && predicted && differences(labels, predicted, spec.steps),
        channels: spec.channels.map((one) => new Track(one)),
        probabilities: spec.probabilities.map((one) => new Track(one)),
      });
    }
    return opened.get(r);
  }

  // --- what is shown ----------------------------------------------------------------------------

  let now = null, from = 0, span = 1, pointerX = null, fixed = false, waiting = false;
  const className = (k) => k === NONE ? "unlabelled" : data.classes[k] ?? "class " + k;
  const colourName = (k) => "--k" + (k < 10 ? k : 1 + (k - 1) % 9);
  let paints = {};
  const paint = (name) => paints[name] ??= getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const least = () => Math.min(now.spec.steps, 8);

  function move(newFrom, newSpan = span) {
    span = Math.max(least(), Math.min(now.spec.steps, newSpan));
    from = Math.max(0, Math.min(now.spec.steps - span, newFrom));
    redraw();
  }
  function zoom(factor, x = .5) { move(from + span * x * (1 - factor), span * factor); }

  function show(r) {
    now = open(r);
    byId("v-recording").value = String(r);
    const spec = now.spec;
    let first = 0;
    if (now.labels && now.labels.starts.length > 1 && now.labels.values[0] === NONE) first = now.labels.starts[1];
    const wanted = Math.max(10 * spec.frequency, 500);
    overviewPicture = null;
    move(first - wanted * .05, wanted);
  }

  // To the next stretch of disagreement that can be seen at this zoom.
  function jump(direction) {
    if (!now.wrong || !now.wrong.starts.length) return;
    const middle = from + span / 2, visible = span / 300;
    const runs = now.wrong;
    for (let run = runs.find(middle) + direction; run >= 0 && run < runs.starts.length; run += direction) {
      const length = runs.end(run) - runs.starts[run];
      const place = runs.starts[run] + length / 2;
      if (runs.values[run] === NONE || length < visible || (place - middle) * direction <= span / 100) continue;
      move(place - span / 2);
      return;
    }
  }

  function clock(step, fine) {
    if (!now.spec.timed) return (fine ? "step " : "") + Math.round(step);
    const seconds = step / now.spec.frequency;
    const whole = Math.floor(seconds + (fine ? 0 : .5));
    const h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60, s = whole % 60;
    const two = (v) => String(v).padStart(2, "0");
    const rest = fine ? "." + String(Math.floor((seconds - whole) * 1000)).padStart(3, "0") : "";
    return (h ? h + ":" + two(m) : m) + ":" + two(s) + rest;
  }

  // --- drawing ----------------------------------------------------------------------------------

  function prepared(element) {
    const width = Math.max(50, element.clientWidth), height = element.clientHeight;
    const ratio = window.devicePixelRatio || 1;
    if (element.width !== Math.round(width * ratio) || element.height !== Math.round(height * ratio)) {
      element.width = Math.round(width * ratio);
      element.height = Math.round(height * ratio);
    }
    const context = element.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = paint("--paper");
    context.fillRect(0, 0, width, height);
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    return {context, width, height};
  }

  // Shares of the labels of each column, one above the other, where runs are narrower than a pixel.
  function drawRuns(context, runs, start, steps, width, top, height, only) {
    const perPixel = steps / width;
    const first = runs.find(Math.max(0, start)), last = runs.find(start + steps);
    if (last - first < width / 2) {
      runs.each(start, start + steps, (a, b, value) => {
        if (value === NONE) return;
        const x = (a - start) / perPixel, w = Math.max(.7, (b - a) / perPixel);
        context.fillStyle = paint(only ?? colourName(value));
        context.globalAlpha = only || value ? .9 : .25;
        context.fillRect(x, top, w, height);
        context.globalAlpha = 1;
        if (only || !value) return;
        const text = className(value);
        if (w > 26 && context.measureText(text).width < w - 6) {
          context.fillStyle = paint("--paper");
          context.textAlign = "center";
          context.fillText(text, x + w / 2, top + height / 2 + .5);
        }
      });
      return;
    }
    const kinds = runs.kinds;
    const shares = new Float32Array(width * kinds);
    runs.each(start, start + steps, (a, b, value) => {
      if (value === NONE || value >= kinds) return;
      const x0 = (a - start) / perPixel, x1 = (b - start) / perPixel;
      for (let x = Math.floor(x0); x < x1 && x < width; ++x)
        shares[x * kinds + value] += Math.min(x1, x + 1) - Math.max(x0, x);
    });
    for (let k = 0; k < kinds; ++k) {
      context.fillStyle = paint(only ?? colourName(k));
      context.globalAlpha = only || k ? .9 : .25;
      for (let x = 0; x < width; ++x) {
        let below = 0;
        for (let j = k + 1; j < kinds; ++j) below += shares[x * kinds + j];
        const share = shares[x * kinds + k];
        if (share > 0) context.fillRect(x, top + height * (1 - Math.min(1, below + share)), 1, height * share);
      }
    }
    context.globalAlpha = 1;
  }

  function drawTrack(context, track, width, top, height, colour, range) {
    const perPixel = span / width;
    const {low, high} = track.columns(from, perPixel, width);
    let [bottom, peak] = range ?? [Infinity, -Infinity];
    if (!range) for (let x = 0; x < width; ++x) {
      if (low[x] < bottom) bottom = low[x];
      if (high[x] > peak) peak = high[x];
    }
    if (!(bottom <= peak)) return null;
    const margin = (peak - bottom) * .06 || .5;
    const y = (v) => top + height - (v - bottom + margin) / (peak - bottom + 2 * margin) * height;
    context.save();
    context.beginPath();
    context.rect(0, top, width, height);
    context.clip();
    context.strokeStyle = context.fillStyle = colour;
    const level = track.level(perPixel);
    if (level && level.block === 1 && perPixel < 1) {
      context.lineWidth = 1.4;
      context.lineJoin = "round";
      context.beginPath();
      let pen = false;
      const last = Math.min(level.count - 1, Math.ceil(from + span) + 1);
      for (let step = Math.max(0, Math.floor(from) - 1); step <= last; ++step) {
        const value = track.number(level.store.at(step));
        if (Number.isNaN(value)) { pen = false; continue; }
        const px = (step + .5 - from) / perPixel;
        if (pen) context.lineTo(px, y(value)); else context.moveTo(px, y(value));
        pen = true;
        if (perPixel < .12) context.fillRect(px - 1.5, y(value) - 1.5, 3, 3);
      }
      context.stroke();
    } else {
      if (range && range[1] === 1 && perPixel > 8) context.globalAlpha = .45;  // several lie over each other
      for (let x = 0; x < width; ++x) {
        if (low[x] > high[x]) continue;
        let a = low[x], b = high[x];
        if (x > 0 && low[x - 1] <= high[x - 1]) {  // no gap between neighbours
          a = Math.min(a, high[x - 1]);
          b = Math.max(b, low[x - 1]);
        }
        const up = y(b);
        context.fillRect(x, up, 1, Math.max(1.3, y(a) - up));
      }
    }
    context.restore();
    return [bottom, peak];
  }

  function drawTime(context, width, top) {
    const seconds = span / now.spec.frequency;
    const steps = [.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
      3600, 7200, 14400, 28800, 86400];
    const scale = now.spec.timed ? steps : [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5];
    const step = scale.find((s) => seconds / s < width / 80) ?? 86400 * Math.ceil(seconds / 86400 / (width / 80));
    context.textAlign = "center";
    for (let t = Math.ceil(from / now.spec.frequency / step) * step; t <= (from + span) / now.spec.frequency; t += step) {
      const x = (t * now.spec.frequency - from) / span * width;
      context.fillStyle = paint("--grid");
      context.fillRect(Math.round(x), 0, 1, top);
      context.fillStyle = paint("--quiet");
      if (x > 22 && x < width - 22) context.fillText(clock(t * now.spec.frequency + 1e-6, now.spec.timed && step < 1), x, top + 11);
    }
  }

  function rowName(context, text, y) {
    context.textAlign = "left";
    context.font = "600 11px system-ui, sans-serif";
    const w = context.measureText(text).width;
    context.fillStyle = paint("--paper");
    context.globalAlpha = .8;
    context.fillRect(3, y - 8, w + 8, 16);
    context.globalAlpha = 1;
    context.fillStyle = paint("--ink");
    context.fillText(text, 7, y);
    context.font = "12px system-ui, sans-serif";
  }

  function draw() {
    waiting = false;
    const {context, width, height} = prepared(canvas);
    const rows = [];
    if (now.labels) rows.push(["marked", now.labels]);
    if (now.predicted) rows.push(["predicted", now.predicted]);
    const axis = 22, rowHeight = 20, wrongHeight = now.wrong ? 7 : 0;
    let y = 0;
    const bottom = height - axis, rowsTop = bottom - rows.length * (rowHeight + 3) - wrongHeight - 2;
    drawTime(context, width, bottom);
    if (now.wrong && now.wrong.starts.length) {
      context.globalAlpha = .12;
      context.fillStyle = paint("--wrong");
      if (now.wrong.find(from + span) - now.wrong.find(from) < width / 3)
        now.wrong.each(from, from + span, (a, b, value) => {
          if (value !== NONE) context.fillRect((a - from) / span * width, 0, Math.max(1, (b - a) / span * width), rowsTop);
        });
      context.globalAlpha = 1;
    }
    const probability = now.probabilities.length ? Math.min(110, rowsTop * .27) : 0;
    const each = (rowsTop - probability) / Math.max(1, now.channels.length);
    for (const track of now.channels) {
      const range = drawTrack(context, track, width, y + 3, each - 6, paint("--ink"), fixed ? track.whole() : null);
      if (each > 16) rowName(context, track.name, y + 12);
      if (range && each > 46) {
        context.textAlign = "right";
        context.fillStyle = paint("--quiet");
        context.fillText(Number(range[1].toPrecision(3)), width - 5, y + 11);
        context.fillText(Number(range[0].toPrecision(3)), width - 5, y + each - 9);
      }
      y += each;
      context.fillStyle = paint("--line");
      context.fillRect(0, y, width, 1);
    }
    now.probabilities.forEach((track, k) =>
      drawTrack(context, track, width, y + 4, probability - 8, paint(colourName(now.probabilities.length === 1 ? 1 : k)), [0, 1]));
    if (probability) rowName(context, "probabilities", y + 12);
    y = rowsTop;
    for (const [name, runs] of rows) {
      if (runs.starts.length) drawRuns(context, runs, from, span, width, y, rowHeight);
      if (pointerX === null || pointerX > 90) rowName(context, name, y + rowHeight / 2);  // makes way
      y += rowHeight + 3;
    }
    if (now.wrong && now.wrong.starts.length) drawRuns(context, now.wrong, from, span, width, y, wrongHeight - 2, "--wrong");
    if (pointerX !== null) {
      context.fillStyle = paint("--accent");
      context.fillRect(pointerX, 0, 1, bottom);
    }
    drawOverview();
    describe();
  }

  let overviewPicture = null;
  function drawOverview() {
    const {context, width, height} = prepared(overview);
    const [keptFrom, keptSpan] = [from, span];
    if (!overviewPicture || overviewPicture.width !== overview.width) {
      from = 0;
      span = now.spec.steps;
      if (now.channels.length) drawTrack(context, now.channels[0], width, 0, height - 8, paint("--k0"), null);
      if (now.wrong && now.wrong.starts.length) drawRuns(context, now.wrong, 0, span, width, height - 8, 8, "--wrong");
      [from, span] = [keptFrom, keptSpan];
      overviewPicture = document.createElement("canvas");
      overviewPicture.width = overview.width;
      overviewPicture.height = overview.height;
      overviewPicture.getContext("2d").drawImage(overview, 0, 0);
    } else {
      context.drawImage(overviewPicture, 0, 0, width, height);
    }
    const x = from / now.spec.steps * width, w = Math.max(3, span / now.spec.steps * width);
    context.fillStyle = paint("--accent");
    context.globalAlpha = .16;
    context.fillRect(x, 0, w, height);
    context.globalAlpha = 1;
    context.strokeStyle = paint("--accent");
    context.lineWidth = 1.5;
    context.strokeRect(x + .75, .75, w - 1.5, height - 1.5);
  }

  // The same in words, for those who do not see the picture; said when scrolling ends.
  let saying = 0;
  function describe() {
    clearTimeout(saying);
    saying = setTimeout(() => {
      let text = `${now.spec.name}: ${clock(from, true)} to ${clock(from + span, true)} of ${clock(now.spec.steps)}.`;
      for (const [name, runs] of [["Marked", now.labels], ["Predicted", now.predicted]]) {
        if (!runs || !runs.starts.length) continue;
        const steps = new Map();
        runs.each(from, from + span, (a, b, value) => steps.set(value, (steps.get(value) ?? 0) + b - a));
        text += ` ${name}: ` + [...steps].sort((a, b) => b[1] - a[1])
          .map(([k, n]) => `${className(k)} ${(100 * n / span).toFixed(1)} %`).join(", ") + ".";
      }
      if (now.wrong && now.wrong.starts.length) {
        let known = 0, wrong = 0;
        now.labels.each(from, from + span, (a, b, value) => { if (value !== NONE) known += b - a; });
        now.wrong.each(from, from + span, (a, b, value) => { if (value !== NONE) wrong += b - a; });
        if (known) text += ` ${(100 - 100 * wrong / known).toFixed(1)} % of the labelled steps agree.`;
      }
      caption.textContent = text;
    }, 250);
  }

  function read() {
    if (pointerX === null) { readout.textContent = ""; return; }
    const step = Math.min(now.spec.steps - 1, Math.max(0, Math.floor(from + pointerX / canvas.clientWidth * span)));
    const parts = [clock(step, true)];
    if (now.labels) parts.push("marked " + className(now.labels.at(step)));
    if (now.predicted) parts.push("predicted " + className(now.predicted.at(step)));
    for (const track of now.channels.slice(0, 8)) {
      const value = track.value(step);
      if (!Number.isNaN(value)) parts.push(`${track.name} ${Number(value.toPrecision(4))}`);
    }
    for (const track of now.probabilities) {
      const value = track.value(step);
      if (!Number.isNaN(value)) parts.push(`p(${track.name}) ${value.toFixed(2)}`);
    }
    readout.textContent = parts.join("  ·  ");
  }

  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { draw(); read(); });
  }

  // --- hands ------------------------------------------------------------------------------------

  const acts = {
    left: () => move(from - span / 4), right: () => move(from + span / 4), in: () => zoom(.5), out: () => zoom(2),
    all: () => move(0, now.spec.steps), next: () => jump(1), previous: () => jump(-1),
    start: () => move(0), end: () => move(now.spec.steps),
  };
  const keys = {
    ArrowLeft: "left", ArrowRight: "right", "+": "in", "=": "in", "-": "out", "0": "all", n: "next", p: "previous",
    Home: "start", End: "end",
  };
  canvas.addEventListener("keydown", (event) => {
    const act = keys[event.key] ?? keys[event.key.toLowerCase()];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    acts[act]();
  });
  document.querySelectorAll("#viewer button[data-do]").forEach((button) =>
    button.addEventListener("click", () => acts[button.dataset.do]()));
  byId("v-recording").addEventListener("change", (event) => show(Number(event.target.value)));
  byId("v-fixed").addEventListener("change", (event) => { fixed = event.target.checked; redraw(); });
  document.querySelectorAll("button[data-view]").forEach((button) => button.addEventListener("click", () => {
    show(Number(button.dataset.view));
    byId("view").scrollIntoView();
    canvas.focus({preventScroll: true});
  }));
  canvas.addEventListener("wheel", (event) => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (!sideways && !event.ctrlKey && !event.metaKey && document.activeElement !== canvas) return;
    event.preventDefault();
    if (sideways) move(from + (event.deltaX || event.deltaY) / canvas.clientWidth * span);
    else zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 240))), event.offsetX / canvas.clientWidth);
  }, {passive: false});

  const touching = new Map();
  const place = (event) => (event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    touching.set(event.pointerId, place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    pointerX = event.offsetX;
    const before = touching.get(event.pointerId);
    if (before === undefined) { redraw(); return; }
    const here = place(event);
    const other = [...touching].find(([id]) => id !== event.pointerId);
    touching.set(event.pointerId, here);
    if (!other) { move(from - (here - before) * span); return; }
    const factor = Math.max(.02, Math.abs(before - other[1])) / Math.max(.02, Math.abs(here - other[1]));
    zoom(factor, other[1]);
  });
  for (const name of ["pointerup", "pointercancel"])
    canvas.addEventListener(name, (event) => touching.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => { pointerX = null; redraw(); });
  canvas.addEventListener("dblclick", (event) => zoom(.4, event.offsetX / canvas.clientWidth));
  const toPlace = (event) => {
    if (event.buttons) move(event.offsetX / overview.clientWidth * now.spec.steps - span / 2);
  };
  overview.addEventListener("pointerdown", (event) => { overview.setPointerCapture(event.pointerId); toPlace(event); });
  overview.addEventListener("pointermove", toPlace);

  const fresh = () => { paints = {}; overviewPicture = null; redraw(); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", fresh);
  new ResizeObserver(fresh).observe(canvas);
  window.addEventListener("beforeprint", fresh);
  window.addEventListener("afterprint", fresh);
  document.addEventListener("DOMContentLoaded", fresh);  // now the fine levels are there

  show(0);
})();
