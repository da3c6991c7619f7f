"use strict";
// Puts curves that can be zoomed into (dygraphs) in the place of the still pictures, which stay for
// printing. Names never reach dygraphs, which writes HTML: legends are made here, as text.
(() => {
  if (typeof Dygraph === "undefined") return;
  // Even a hidden legend of dygraphs measures itself with a style that the page's policy refuses.
  Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const charts = [];
  const paint = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = (k) => "--k" + (k < 10 ? k : 1 + (k - 1) % 9);
  const short = (v) => v === null ? "–" : Math.abs(v) >= 1e5 || (v !== 0 && Math.abs(v) < 1e-3)
    ? v.toExponential(2) : v.toFixed(4).replace(/0+$/, "").replace(/\.$/, "");

  function learning(name) {
    const lines = [["training", name, 1], ["validation", "val_" + name, 2]]
      .filter((line) => data.learning.history[line[1]]);
    return {
      x: "epoch", y: name, names: lines.map((line) => line[0]), colours: lines.map((line) => line[2]),
      rows: data.learning.epoch.map((epoch, i) =>
        [epoch, ...lines.map((line) => data.learning.history[line[1]][i] ?? NaN)]),
    };
  }

  // One row for each point of a curve, empty for the other curves.
  function curves(x, y, xName, yName, area) {
    const shown = data.curves.map((curve, k) => ({curve, k}))
      .filter((one) => data.curves.length !== 2 || one.k === 1);
    const rows = [];
    shown.forEach((one, column) => {
      for (const point of one.curve.points) {
        const row = new Array(shown.length + 1).fill(null);
        row[0] = point[x];
        row[column + 1] = point[y];
        rows.push(row);
      }
    });
    rows.sort((a, b) => a[0] - b[0]);
    return {
      x: xName, y: yName, unit: true, rows,
      names: shown.map((one) => `${one.curve.name}: ${area[1]} ${short(one.curve[area[0]])}`),
      colours: shown.map((one) => one.k),
      marks: shown.filter((one) => one.curve.chosen).map((one) => ({
        k: one.k, x: one.curve.chosen[x - 1], y: one.curve.chosen[y - 1]})),
    };
  }

  function chart(figure) {
    const kind = figure.dataset.chart;
    if (kind === "learning") return learning(figure.dataset.name);
    if (kind === "roc") return curves(2, 1, "false positive rate", "true positive rate (recall)", ["auc", "area"]);
    if (kind === "precision_recall")
      return curves(1, 3, "recall", "precision", ["average_precision", "average precision"]);
    return null;
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function draw(figure) {
    const what = chart(figure);
    if (!what || what.rows.length < 2) return;
    const still = figure.querySelector(".still");
    const live = element("div", "live");
    live.setAttribute("role", "img");
    live.setAttribute("aria-label", still.querySelector("svg").getAttribute("aria-label"));
    const axes = element("div", "axes");
    axes.append(element("span", "", "↑ " + what.y), element("span", "", what.x + " →"));
    const legend = element("ul", "legend");
    const values = what.names.map((name, i) => {
      const item = element("li");
      const value = element("span");
      item.append(element("i", "swatch k" + colour(what.colours[i]).slice(3)), name, value);
      legend.append(item);
      return value;
    });
    still.after(live, axes, legend);
    still.hidden = true;
    const colours = () => ({
      colors: what.colours.map((k) => paint(colour(k))),
      gridLineColor: paint("--grid"), axisLineColor: paint("--quiet"),
    });
    const graph = new Dygraph(live, what.rows, {
      ...colours(),
      labels: ["x", ...what.names.map((_, i) => "y" + i)],
      legend: "never", strokeWidth: 1.8, connectSeparatedPoints: true, drawPoints: what.rows.length < 3,
      highlightCircleSize: 4, axisLabelFontSize: 12, rightGap: 12, xRangePad: what.unit ? 2 : 4,
      valueRange: what.unit ? [0, 1.02] : null, dateWindow: what.unit ? [0, 1] : null,
      axes: {x: {axisLabelWidth: 44, pixelsPerLabel: 56}, y: {axisLabelWidth: 46, pixelsPerLabel: 40}},
      highlightCallback: (_, x, points) => {
        for (const point of points) {
          const value = values[Number(point.name.slice(1))];
          if (value) value.textContent = ` · ${short(point.yval)} at ${short(x)}`;
        }
      },
      unhighlightCallback: () => values.forEach((value) => { value.textContent = ""; }),
      underlayCallback: (context, area, g) => {
        if (what.x !== "false positive rate") return;
        context.strokeStyle = paint("--quiet");
        context.globalAlpha = .5;
        context.beginPath();
        context.moveTo(g.toDomXCoord(0), g.toDomYCoord(0));
        context.lineTo(g.toDomXCoord(1), g.toDomYCoord(1));
        context.stroke();
        context.globalAlpha = 1;
      },
      drawCallback: (g) => {
        const context = g.hidden_ctx_;
        for (const mark of what.marks ?? []) {
          if (mark.x === null || mark.y === null) continue;
          context.beginPath();
          context.arc(g.toDomXCoord(mark.x), g.toDomYCoord(mark.y), 5.5, 0, 7);
          context.fillStyle = paint(colour(mark.k));
          context.fill();
          context.lineWidth = 2;
          context.strokeStyle = paint("--paper");
          context.stroke();
        }
      },
    });
    charts.push(() => graph.updateOptions(colours()));
  }

  document.querySelectorAll("figure[data-chart]").forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((again) => again()));
})();
