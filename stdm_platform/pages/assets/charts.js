"use strict";
// Draws the charts of the report from the data block. Names in it are strangers' text: they are drawn as text,
// never as markup, and never through templates of the chart library.
(function () {
  const { charts } = JSON.parse(document.getElementById("data").textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const plain = (text) => String(text).replace(/[{}|]/g, (found) => ({ "{": "❴", "}": "❵", "|": "∣" })[found]);
  const isNarrow = () => window.innerWidth < 640;
  const units = {
    count: (value) => value.toLocaleString("en"),
    share: (value) => (value * 100).toFixed(1) + "%",
    ms: (value) => Math.round(value).toLocaleString("en") + " ms",
    usd: (value) => "$" + value.toLocaleString("en"),
  };
  const short = (unit) => (value) => {
    if (unit === "share") return +(value * 100).toFixed(1) + "%";
    const scaled = value >= 1e9 ? [1e9, "B"] : value >= 1e6 ? [1e6, "M"] : value >= 1e4 ? [1e3, "k"] : [1, ""];
    return +(value / scaled[0]).toFixed(1) + scaled[1];
  };
  const PALETTE = ["blue", "orange", "green", "red", "purple", "teal", "brown", "grey"];

  const common = (chart) => ({
    animation: false,
    textStyle: { color: colour("ink"), fontFamily: getComputedStyle(document.body).fontFamily },
    aria: { enabled: true, label: { description: "Chart: " + chart.title + ". The table beside it has the same numbers." } },
    tooltip: {
      renderMode: "richText", confine: true, backgroundColor: colour("paper"), borderColor: colour("line"),
      textStyle: { color: colour("ink") },
    },
  });
  const axisStyle = () => ({
    axisLine: { lineStyle: { color: colour("line") } }, axisTick: { show: false },
    axisLabel: { color: colour("quiet"), hideOverlap: true }, splitLine: { lineStyle: { color: colour("line") } },
  });
  const rows = (chart, points) => points
    .filter((point) => point.value !== null && point.value !== undefined && point.value !== "-")
    .map((point) => plain(point.seriesName) + ": " + units[chart.unit](point.value));
  const legend = (chart) => ({
    show: chart.isSmall || chart.series.length > 1, type: "plain", top: chart.isSmall ? 22 : 0, left: 0, itemWidth: 12, itemHeight: 9,
    itemGap: chart.isSmall ? 7 : 12,
    textStyle: { color: colour("ink"), fontSize: chart.isSmall ? 11 : 12 }, inactiveColor: colour("grey"),
    formatter: (name) => name,
  });

  const overDays = (chart) => ({
    ...common(chart),
    title: chart.isSmall ? { text: chart.title, left: 0, top: 0, textStyle: { color: colour("ink"), fontSize: 14 } } : undefined,
    tooltip: {
      ...common(chart).tooltip, trigger: "axis",
      formatter: (points) => [points[0].axisValue, ...rows(chart, points)].join("\n"),
    },
    legend: legend(chart),
    grid: { left: 4, right: 14, top: chart.isSmall ? 72 : isNarrow() ? 64 : 40, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: { type: "category", data: chart.x, ...axisStyle(), axisLabel: { color: colour("quiet"), hideOverlap: true, formatter: (day) => day.slice(5) } },
    yAxis: { type: "value", min: 0, ...axisStyle(), axisLabel: { color: colour("quiet"), formatter: short(chart.unit) } },
    series: chart.series.map((series, number) => ({
      name: series.name, data: series.values, type: chart.kind === "stack" ? "bar" : "line",
      stack: chart.kind === "stack" ? "all" : undefined, barCategoryGap: "25%", connectNulls: false,
      symbol: "circle", symbolSize: 6, showSymbol: chart.x.length < 40, lineStyle: { width: 2 },
      itemStyle: { color: colour(series.colour || PALETTE[number % PALETTE.length]) },
    })),
  });
  const bars = (chart) => ({
    ...common(chart),
    tooltip: {
      ...common(chart).tooltip, trigger: "axis", axisPointer: { type: "shadow" },
      formatter: (points) => [plain(points[0].axisValue), ...rows(chart, points)].join("\n"),
    },
    legend: legend(chart),
    grid: { left: 4, right: 14, top: isNarrow() ? 58 : 36, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: { type: "value", min: 0, ...axisStyle(), axisLabel: { color: colour("quiet"), hideOverlap: true, formatter: short(chart.unit) } },
    yAxis: {
      type: "category", inverse: true, data: chart.y, ...axisStyle(),
      axisLabel: { color: colour("ink"), formatter: (name) => name, width: isNarrow() ? 120 : 260, overflow: "truncate", interval: 0 },
    },
    series: chart.series.map((series, number) => ({
      name: series.name, data: series.values, type: "bar", stack: "all", barMaxWidth: 22,
      itemStyle: { color: colour(series.colour || PALETTE[number % PALETTE.length]) },
    })),
  });
  const sankey = (chart) => {
    const flow = chart.variants[chart.shown || 0];
    const label = (id) => flow.nodes[Number(id)][0];
    const names = [...new Set(flow.nodes.map((node) => node[0]))];
    const colourOf = (name) => colour(name.startsWith("(") ? "grey" : PALETTE[names.filter((each) => !each.startsWith("(")).indexOf(name) % 7]);
    const room = isNarrow() ? 96 : 220;
    return {
      ...common(chart),
      tooltip: {
        ...common(chart).tooltip, trigger: "item",
        formatter: (point) => point.dataType === "edge"
          ? plain(label(point.data.source)) + " → " + plain(label(point.data.target)) + "\n" + units.count(point.data.value) + " transitions"
          : plain(label(point.name)) + "\n" + units.count(point.value) + " transitions",
      },
      series: [{
        type: "sankey", left: 4, right: room, top: 8, bottom: 8, nodeGap: 10, nodeWidth: 14, draggable: false,
        layoutIterations: 0, emphasis: { focus: "adjacency" },
        label: { color: colour("ink"), width: room - 16, overflow: "truncate", formatter: (point) => label(point.name) },
        lineStyle: { color: "source", opacity: 0.35, curveness: 0.5 },
        data: flow.nodes.map(([name, column], number) => ({
          name: String(number), depth: column, itemStyle: { color: colourOf(name), borderWidth: 0 },
          label: column === 0 ? { position: "insideLeft", offset: [18, 0] } : { position: "right" },
        })),
        links: flow.links.map(([source, target, value]) => ({ source: String(source), target: String(target), value })),
      }],
    };
  };
  const optionOf = (chart) => ({ sankey, bars, lines: overDays, stack: overDays })[chart.kind](chart);
  const heightOf = (chart) => {
    if (chart.kind === "sankey") return Math.max(300, 60 + 34 * Math.max(...[0, 1].map((column) => chart.variants[chart.shown || 0].nodes.filter((node) => node[1] === column).length)));
    if (chart.kind === "bars") return (isNarrow() ? 92 : 70) + 28 * chart.y.length;
    return chart.isSmall ? 240 : 320;
  };

  const drawn = [];
  const draw = (place, chart) => {
    place.style.height = heightOf(chart) + "px";
    const instance = window.echarts.init(place, null, { renderer: "svg" });
    instance.setOption(optionOf(chart));
    const again = () => { place.style.height = heightOf(chart) + "px"; instance.resize(); instance.setOption(optionOf(chart), true); };
    drawn.push(again);
    return again;
  };
  const picker = (place, chart, again) => {
    const frame = document.createElement("label");
    frame.className = "picker";
    frame.append("Agent");
    const choice = document.createElement("select");
    chart.variants.forEach((variant, number) => choice.add(new Option(variant.name, String(number))));
    choice.addEventListener("change", () => { chart.shown = Number(choice.value); again(); });
    frame.append(choice);
    place.before(frame);
  };
  for (const place of document.querySelectorAll("[data-chart]")) {
    const chart = charts[place.getAttribute("data-chart")];
    if (chart.kind === "many") {
      place.classList.add("many");
      for (const each of chart.charts) draw(place.appendChild(document.createElement("div")), { ...each, isSmall: true });
      continue;
    }
    const again = draw(place, chart);
    if (chart.kind === "sankey" && chart.variants.length > 1) picker(place, chart, again);
  }
  let width = window.innerWidth;
  const redraw = () => drawn.forEach((again) => again());
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    requestAnimationFrame(redraw);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  document.documentElement.dataset.ready = "true";
})();
