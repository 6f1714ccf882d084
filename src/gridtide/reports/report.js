// Draws the charts of a report, in the colours of the reader's light or dark theme, and again when that changes.
(() => {
  "use strict";
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const narrow = window.matchMedia("(max-width: 700px)");
  const touch = window.matchMedia("(pointer: coarse)").matches;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  // Names such as "@buy" stand for colours, under keys that end in "color" (or are a colour scale) only: other text is nobody's colour.
  const painted = (value, key) => {
    if (Array.isArray(value)) return value.map((part) => painted(part, key));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, painted(part, name)]));
    }
    const named = typeof value === "string" && value.startsWith("@") && /color(scale)?$/.test(key || "");
    return named ? colour(value.slice(1)) : value;
  };

  const axis = (given) => ({
    gridcolor: colour("line"), linecolor: colour("line"), zerolinecolor: colour("line"),
    spikecolor: colour("muted"), spikethickness: 1, spikedash: "dot", fixedrange: touch, ...given,
  });

  const layoutOf = (chart) => ({
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("ink"), family: "system-ui, sans-serif", size: 13 },
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink"), size: 13 } },
    margin: { l: 8, r: narrow.matches ? 8 : 20, t: 8, b: 8 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("muted"), activecolor: colour("ink") },
    legend: { orientation: "h", itemsizing: "constant", x: 0, y: 1.02, yanchor: "bottom" },
    dragmode: touch ? false : "zoom",
    height: chart.height,
    ...chart.layout,
    xaxis: axis({ automargin: true, ...chart.layout.xaxis }),
    yaxis: axis(chart.layout.yaxis),
  });

  const draw = () => {
    for (const [id, chart] of Object.entries(charts)) {
      Plotly.react(id, painted(chart.traces), layoutOf(chart), {
        // plotly offers to send a chart to its makers' server; a report of one's money offers no such thing.
        showSendToCloud: false, plotlyServerURL: "",
        responsive: true, displaylogo: false, displayModeBar: touch || narrow.matches ? false : "hover",
        modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
      });
    }
  };

  draw();
  dark.addEventListener("change", draw);
  narrow.addEventListener("change", draw);
})();
