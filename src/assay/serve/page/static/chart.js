// Draws every .chart from its data-points: [[seconds since 1970, ..], [values, ..]].
"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  function draw(place) {
    if (place.firstChild) return;
    const axis = () => ({ stroke: colour("--soft"), grid: { stroke: colour("--grid"), width: 1 }, ticks: { stroke: colour("--grid"), width: 1 } });
    new uPlot({
      width: place.clientWidth,
      height: 220,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      legend: { show: false },
      scales: { y: { range: (self, least, most) => [0, most * 1.1 || 1] } },
      series: [{ label: "time" }, { label: place.dataset.name, stroke: colour("--main"), width: 1.5, points: { size: 5 } }],
      axes: [{ ...axis(), values: (self, ticks) => ticks.map((at) => new Date(at * 1000).toISOString().slice(11, 19)), space: 90 }, axis()],
    }, JSON.parse(place.dataset.points), place);
  }
  const all = () => document.querySelectorAll(".chart").forEach(draw);
  document.addEventListener("DOMContentLoaded", all);
  document.addEventListener("htmx:after:swap", all);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    document.querySelectorAll(".chart").forEach((place) => { place.replaceChildren(); draw(place); });
  });
})();
